package customers

import (
	"errors"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// ServiceDecides reports whether the account cannot be read for good, so only the service's own
// refusal can show what others hold. A fault is no reason to go on without reading: a service that
// moves a claim without a refusal would take it from its holder.
func ServiceDecides(err error) bool {
	return errors.Is(err, ErrAccountUnread) ||
		fusebill.IsRefusal(err) && !fusebill.IsKeyRefused(err) && !fusebill.IsRateLimited(err)
}
