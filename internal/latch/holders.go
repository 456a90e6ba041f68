package latch

import "github.com/fusebill/terraform-provider-fusebill/internal/fusebill"

// less returns a latch less what others hold.
func less(l fusebill.Latch, held []Holding) fusebill.Latch {
	for _, h := range held {
		if h.Claim.Kind == fusebill.Contact {
			l.HubSpotID = 0
		} else {
			l.HubSpotCompanyID = 0
		}
	}
	return l
}
