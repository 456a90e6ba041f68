package acceptance

import (
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/provider"
)

func TestMain(m *testing.M) { acctest.Main(m, provider.NewServerWith) }
