package provider

import "strconv"

// idForm is how an ID is written: in one way, so that no two keys are the same customer.
const idForm = "a whole number of 1 or more, without leading zeros or white space"

func parseID(text string) (int64, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil && id > 0 && strconv.FormatInt(id, 10) == text
}
