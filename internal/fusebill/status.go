package fusebill

import (
	"errors"
	"net/http"
	"strings"
)

// Only this file decides what an HTTP status of the service means. Callers use its predicates,
// which are about the last answer of a call. If the service may have carried out an earlier try,
// the error is also an [OutcomeUnknownError].
//
//	status               again  meaning                             predicates
//	200, all of a JSON   no     done
//	200, anything else   yes    a proxy's page, a part of a JSON    IsTooLarge (malformed)
//	other 2xx            no     no JSON where a 200 has it          IsTooLarge (malformed)
//	3xx                  no     unexpected, from a proxy            IsForeign
//	400, about the key   no     the key is malformed                IsRefusal, IsKeyRefused
//	400, write           no     a rule, or an error of HubSpot      IsRefusal, IsConflict
//	400, list call       no     perhaps too long a query            IsRefusal, IsTooLarge
//	401                  no     an unknown key, another account's   IsRefusal, IsKeyRefused
//	403                  no     the key does not allow the call     IsRefusal, IsForbidden
//	404, one customer    no     no such customer, or a wrong URL    IsRefusal, IsNotFound
//	404, list call       no     a wrong URL, or too long a query    IsRefusal, IsTooLarge,
//	                                                                IsWrongPath
//	408                  yes    a failure                           IsFault
//	409, write           no     against a business rule             IsRefusal, IsConflict,
//	                                                                IsCertainConflict
//	413, 414, 431        no     a query that is too long            IsRefusal, IsTooLarge
//	429                  waits  the quota is used up                IsRefusal, IsRateLimited
//	other 4xx            no     refused                             IsRefusal
//	5xx                  yes    a server error                      IsFault
//
// The API reference (https://developer.staxbill.com/reference/errors) lists 400, 401, 404, 409, 429
// and 500; the others come from proxies and from the web server. A malformed answer is a
// [MalformedAnswerError]. IsForeign is also true for each error whose body has no form of the
// service.

// isFault reports whether a status means that the service or something before it failed, so another
// try may succeed.
func isFault(status int) bool { return status == http.StatusRequestTimeout || status >= 500 }

// IsFault reports whether the service, or something before it, failed to answer a call. It does not
// report a connection that broke.
func IsFault(err error) bool {
	apiErr, ok := errors.AsType[*APIError](err)
	return ok && isFault(apiErr.StatusCode)
}

// IsRefusal reports whether the service refused a call instead of failing. The same call again is
// refused again, unless something changes: the account, the key, or the quota.
func IsRefusal(err error) bool {
	apiErr, ok := errors.AsType[*APIError](err)
	return ok && apiErr.StatusCode >= 400 && !isFault(apiErr.StatusCode) || IsRateLimited(err)
}

// IsKeyRefused reports whether the service refused the API key: with a 401 where the key is unknown
// or belongs to another environment, with a 400 where it does not have the form of a key. Every
// other call with this key is refused, too.
func IsKeyRefused(err error) bool {
	apiErr, ok := errors.AsType[*APIError](err)
	return ok && apiErr.isKeyRefused()
}

// isKeyRefused recognizes the 400 by the service's words ("Authorization key is not in the correct
// format."), because the answer has no other sign. Nothing else in this project depends on the
// words of an error.
func (e *APIError) isKeyRefused() bool {
	if e.StatusCode != http.StatusBadRequest {
		return e.StatusCode == http.StatusUnauthorized
	}
	return strings.Contains(strings.ToLower(strings.Join(e.Messages, "\n")), "authorization key")
}

// IsForbidden reports whether the service knows the key but does not allow the call with it. A 403
// in another form than the service's comes from a proxy and does not count.
func IsForbidden(err error) bool {
	apiErr, ok := errors.AsType[*APIError](err)
	return ok && apiErr.StatusCode == http.StatusForbidden && apiErr.isServices()
}

// IsNotFound reports whether the service answered a call about one customer with 404. This does not
// prove that the customer is gone: with a wrong base URL, an ASP.NET server answers every call with
// a 404, in a form that the service may use, too ([MessageForm]). Only a list call that the same
// account answers proves that the base URL and the key are right.
//
// A 404 to a list call is never about a customer. A 404 in another form than the service's comes
// from a proxy. Neither counts.
func IsNotFound(err error) bool {
	apiErr, ok := errors.AsType[*APIError](err)
	return ok && apiErr.StatusCode == http.StatusNotFound && apiErr.isServices() && !apiErr.isList
}

// IsWrongPath reports whether the service answered 404 to a call that is about no single customer,
// as it does under a base URL that lacks the API's version.
func IsWrongPath(err error) bool {
	apiErr, ok := errors.AsType[*APIError](err)
	return ok && apiErr.StatusCode == http.StatusNotFound && apiErr.isList
}

// IsConflict reports whether the refusal of a write may be about a HubSpot contact or company that
// another customer holds: a 409, or a 400 that is not about the key. The API reference
// (https://developer.staxbill.com/reference/latch-customer-1) does not document which of the two it
// is, and a 400 may have another reason. The refusal of a read is never about HubSpot.
func IsConflict(err error) bool {
	apiErr, ok := errors.AsType[*APIError](err)
	return ok && !apiErr.IsRead && !apiErr.isKeyRefused() &&
		(apiErr.StatusCode == http.StatusConflict || apiErr.StatusCode == http.StatusBadRequest)
}

// IsCertainConflict reports whether a write was refused with a 409: it is well-formed, but breaks a
// rule about the data of the account. If the caller knew of no conflict, its data about the account
// are out of date.
func IsCertainConflict(err error) bool {
	apiErr, ok := errors.AsType[*APIError](err)
	return ok && !apiErr.IsRead && apiErr.StatusCode == http.StatusConflict
}

// IsRateLimited reports whether a call failed because the account's quota is used up. The error is
// a [RateLimitError].
func IsRateLimited(err error) bool {
	_, ok := errors.AsType[*RateLimitError](err)
	return ok
}

// IsTooLarge reports whether a smaller list call may succeed: the service or a proxy refused the
// length of the query (with 400, 413, 414, 431, or the 404 of a Windows server), or the answer was
// cut off or too large to read.
func IsTooLarge(err error) bool {
	if _, ok := errors.AsType[*MalformedAnswerError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*answerTooLargeError](err); ok {
		return true
	}
	apiErr, ok := errors.AsType[*APIError](err)
	if !ok || !apiErr.isList {
		return false
	}
	switch apiErr.StatusCode {
	case http.StatusBadRequest:
		return !apiErr.isKeyRefused()
	case http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
		http.StatusRequestHeaderFieldsTooLarge:
		return true
	default:
		return false
	}
}

// IsForeign reports whether an error answer did not come from Fusebill: its body has none of the
// forms of the service's errors. Such an answer comes from a proxy, a login page or a wrong base
// URL.
func IsForeign(err error) bool {
	apiErr, ok := errors.AsType[*APIError](err)
	return ok && !apiErr.isServices()
}
