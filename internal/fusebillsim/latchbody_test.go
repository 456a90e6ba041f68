package fusebillsim

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestParseLatch(t *testing.T) {
	t.Parallel()
	tests := map[string]latch{
		`{"FUSEBILLID":1,"hubspotid":2,"HubSpotCompanyID":3}`:         {1, 2, 3},
		"\t{ fusebillId : 1 ,\r\n hubSpotId\t: \"2\" }\n":             {1, 2, 0},
		`{"fusebillId":1,"hubSpotId":2,"note":{"hubSpotId":9,a:[1]}}`: {1, 2, 0},
		`{"fusebillId":1,"note":"x,hubSpotId:9"}`:                     {1, 0, 0},
		`{"fusebillId":1,"note":"\",hubSpotId:9"}`:                    {1, 0, 0},
		`{"fusebillId":1,"hubSpotId":2,"hubspotid":3}`:                {1, 3, 0}, // the last one wins
		`{"fusebillId":1,"hubSpotId":2,"hubspotid":null}`:             {1, 0, 0},
	}
	for body, want := range tests {
		if got, err := parseLatch([]byte(body)); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", body, got, err, want)
		}
	}
	for _, body := range []string{
		``, `null`, `[]`, `1`, `{`, `{}`, `{"fusebillId":null}`, `{"fusebillId":1}{}`, `{"fusebillId":1.0}`,
		`{"fusebillId":1e3}`, `{"fusebillId":""}`, `{"fusebillId":true}`, `{"fusebillId":[1]}`, `{fusebillId}`,
	} {
		if got, err := parseLatch([]byte(body)); err == nil {
			t.Errorf("%s: %v, want an error", body, got)
		}
	}
}

// Leniency adds to JSON and takes nothing away: valid JSON is left as it is, and
// whatever is accepted has IDs in range. The same request in the strict form
// then gives the same latch.
func FuzzParseLatch(f *testing.F) {
	for _, seed := range []string{
		`{fusebillId:123456789,hubSpotId:101,hubSpotCompanyId:202}`,
		`{"fusebillid":"9007199254740993","hubSpotId":9223372036854775807,"x":[{"a":"\\"},true,null]}`,
		`{"a":"{b:1,c:2}", fusebillId:1}`, `{"`, `{a:`, `{,a:1}`, `"\`, `{"\u0066usebillId":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if quoted := quoteKeys(body); json.Valid(body) && !bytes.Equal(quoted, body) {
			t.Fatalf("valid JSON %q became %q", body, quoted)
		}
		l, err := parseLatch(body)
		if err != nil {
			if l != (latch{}) {
				t.Fatalf("both %v and %v", l, err)
			}
			return
		}
		if l.customer < 1 || l.contact < 0 || l.company < 0 {
			t.Fatalf("%q: %v is out of range", body, l)
		}
		strict := mustMarshal(map[string]*int64{
			"fusebillId": &l.customer, "hubSpotId": nonZero(l.contact), "hubSpotCompanyId": nonZero(l.company),
		})
		if again, err := parseLatch(strict); err != nil || again != l {
			t.Fatalf("%q gives %v, but %s gives %v, %v", body, l, strict, again, err)
		}
	})
}

func nonZero(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}
