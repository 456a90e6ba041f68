package passes

import "testing"

func TestAccPasses(*testing.T) {}
