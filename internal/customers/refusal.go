package customers

import (
	"errors"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// ServiceDecides reports whether an error means that the account can never be read, so only a
// refusal of the service can show a conflict. After any other error a change must not go on without
// the account: a service that moves claims without a refusal would take the claim from its holder.
func ServiceDecides(err error) bool {
	return errors.Is(err, ErrAccountUnread) ||
		fusebill.IsRefusal(err) && !fusebill.IsKeyRefused(err) && !fusebill.IsRateLimited(err)
}
