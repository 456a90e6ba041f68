package customers

import (
	"errors"
	"net/http"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// ServiceDecides says whether the account can't be read for good, so that the service's own refusal has to tell what
// others hold. A fault is no reason to go on unseeing: a service that moves what is claimed without a refusal would take
// it from its holder.
func ServiceDecides(err error) bool {
	switch RefusalStatus(err) {
	case 0:
		return errors.Is(err, ErrAccountUnread)
	case http.StatusUnauthorized, http.StatusTooManyRequests: // All calls are refused.
		return false
	default:
		return true
	}
}

// RefusalStatus is the status of a call that the service refused, 0 where it didn't, had a fault, or where something else
// went wrong besides.
func RefusalStatus(err error) int {
	var (
		apiErr *fusebill.APIError
	)
	if !errors.As(err, &apiErr) || apiErr.StatusCode >= http.StatusInternalServerError {
		return 0
	}
	return apiErr.StatusCode
}
