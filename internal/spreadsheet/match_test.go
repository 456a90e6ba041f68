package spreadsheet

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// readTestID accepts digits.
func readTestID(cell string) (string, *IDError) {
	if _, err := strconv.ParseUint(cell, 10, 63); err != nil {
		return "", &IDError{Reason: fmt.Sprintf("%q is no ID", cell), NextStep: "Use an ID."}
	}
	return cell, nil
}

func parseRules(t *testing.T, texts ...string) []Rule {
	t.Helper()
	var rules []Rule
	for _, text := range texts {
		rule, err := ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, rule)
	}
	return rules
}

func TestMatch(t *testing.T) {
	t.Parallel()
	const header = "Record ID,First Name,Last Name,Email,Company name,Customer number\n"
	byAll := []string{"reference = Customer number", "primary_email = Email", "company_name = Company name"}
	for name, test := range map[string]struct {
		customers []Customer
		export    string
		rules     []string
		want      Result
	}{
		"reference": {
			[]Customer{{ID: "1", Reference: "C-1"}, {ID: "2", Reference: "c-1"}},
			header + "11,Ann,Brown,ann@example.com,Brown Coffee, C-1 \n", byAll,
			Result{
				Matches: map[string]string{"1": "11"}, Unmatched: []string{"2"},
				RecordNames: map[string]string{"11": "Ann Brown <ann@example.com>"},
			},
		},
		"letter case of an address": {
			[]Customer{{ID: "1", PrimaryEmail: "Ann@Example.COM"}}, header + "11,,,aNN@example.com,,\n", byAll,
			Result{Matches: map[string]string{"1": "11"}, RecordNames: map[string]string{"11": "aNN@example.com"}},
		},
		"several addresses in one cell": {
			[]Customer{{ID: "1", PrimaryEmail: "ann@example.com"}, {ID: "2", PrimaryEmail: "x@example.com, bob@example.com"}},
			header + "11,,,info@example.com;ann@example.com;ANN@example.com,,\n12,,,bob@example.com,,\n", byAll,
			Result{
				Matches:     map[string]string{"1": "11", "2": "12"},
				RecordNames: map[string]string{"11": "info@example.com;ann@example.com;ANN@example.com", "12": "bob@example.com"},
			},
		},
		"company": {
			[]Customer{{ID: "1", CompanyName: " brown  COFFEE"}}, header + "11,,,,Brown Coffee,\n", byAll,
			Result{Matches: map[string]string{"1": "11"}, RecordNames: map[string]string{"11": "Brown Coffee"}},
		},
		"ID of the customer": {
			[]Customer{{ID: "1"}, {ID: "2"}}, header + "11,,,,,2\n", []string{"id=customer_number"},
			Result{Matches: map[string]string{"2": "11"}, Unmatched: []string{"1"}, RecordNames: map[string]string{"11": ""}},
		},
		"nothing is equal to nothing": {
			[]Customer{{ID: "1"}}, header + "11,Ann,,,,\n", byAll, Result{Unmatched: []string{"1"}},
		},
		"the first rule that fits decides": {
			[]Customer{{ID: "1", Reference: "C-1", PrimaryEmail: "ann@example.com"}},
			header + "11,,,ann@example.com,,\n12,,,,,C-1\n", byAll,
			Result{Matches: map[string]string{"1": "12"}, RecordNames: map[string]string{"12": ""}},
		},
		"a later rule does not choose": {
			[]Customer{{ID: "1", PrimaryEmail: "ann@example.com", CompanyName: "Brown Coffee"}},
			header + "11,,,ann@example.com,Brown Coffee,\n12,,,ann@example.com,,\n", byAll,
			Result{
				Ambiguous:   map[string][]string{"1": {"11", "12"}},
				RecordNames: map[string]string{"11": "ann@example.com", "12": "ann@example.com"},
			},
		},
		"two customers want a record": {
			[]Customer{{ID: "1", Reference: "C-1"}, {ID: "2", PrimaryEmail: "ann@example.com"}, {ID: "3", Reference: "C-2"}},
			header + "11,,,ann@example.com,,C-1\n12,,,,,C-2\n", byAll,
			Result{
				Matches: map[string]string{"3": "12"}, Contested: map[string][]string{"11": {"1", "2"}},
				RecordNames: map[string]string{"11": "ann@example.com", "12": ""},
			},
		},
		"a candidate of an ambiguous customer": {
			[]Customer{{ID: "1", PrimaryEmail: "ann@example.com"}, {ID: "2", Reference: "C-2"}},
			header + "11,,,ann@example.com,,C-2\n12,,,ann@example.com,,\n", byAll,
			Result{
				Ambiguous: map[string][]string{"1": {"11", "12"}}, Contested: map[string][]string{"11": {"1", "2"}},
				RecordNames: map[string]string{"11": "ann@example.com", "12": "ann@example.com"},
			},
		},
		"no customers": {nil, header + "11,,,,,\n", byAll, Result{}},
		"as a German Excel saves it": {
			[]Customer{{ID: "1", PrimaryEmail: "ann@example.com"}},
			"\ufeffRecord ID;Email\r\n11;ann@example.com\r\n", []string{"primary_email = email"},
			Result{Matches: map[string]string{"1": "11"}, RecordNames: map[string]string{"11": "ann@example.com"}},
		},
		"companies": {
			[]Customer{{ID: "1", CompanyName: "Brown Coffee"}},
			"Record ID,Company name,Company Domain Name\n21,Brown Coffee,brown.example\n",
			[]string{"company_name = Company name"},
			Result{Matches: map[string]string{"1": "21"}, RecordNames: map[string]string{"21": "Brown Coffee"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Match(test.customers, test.export, parseRules(t, test.rules...), readTestID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(filled(test.want), got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

// filled replaces what is nil, which a function of a provider would return as null.
func filled(r Result) Result {
	if r.Matches == nil {
		r.Matches = map[string]string{}
	}
	if r.Unmatched == nil {
		r.Unmatched = []string{}
	}
	if r.Ambiguous == nil {
		r.Ambiguous = map[string][]string{}
	}
	if r.Contested == nil {
		r.Contested = map[string][]string{}
	}
	if r.RecordNames == nil {
		r.RecordNames = map[string]string{}
	}
	return r
}

func TestParseRule_refused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "primary_email", "primary_email =", "= Email", "email = Email", "primary_email = --",
	} {
		if rule, err := ParseRule(text); err == nil || !strings.HasPrefix(err.Error(), strconv.Quote(text)) {
			t.Errorf("%q is read as %v, %v", text, rule, err)
		}
	}
}

// matchNaively compares each customer with each record.
func matchNaively(customers []Customer, records [][]string, rules []string) Result {
	result := filled(Result{})
	fits := func(c Customer, record []string, rule string) bool {
		switch rule {
		case "reference = Number":
			return c.Reference != "" && c.Reference == record[1]
		case "primary_email = Email":
			for address := range strings.SplitSeq(strings.ReplaceAll(c.PrimaryEmail, ", ", ";"), ";") {
				for other := range strings.SplitSeq(strings.ReplaceAll(record[2], ", ", ";"), ";") {
					if address != "" && strings.EqualFold(address, other) {
						return true
					}
				}
			}
			return false
		default:
			return c.CompanyName != "" && strings.EqualFold(c.CompanyName, record[3])
		}
	}
	candidates := map[string][]string{}
	for _, c := range customers {
		for _, rule := range rules {
			for _, record := range records {
				if fits(c, record, rule) {
					candidates[c.ID] = append(candidates[c.ID], record[0])
				}
			}
			if len(candidates[c.ID]) > 0 {
				break
			}
		}
	}
	for _, c := range customers {
		var rivals int
		for _, id := range candidates[c.ID] {
			var wanting []string
			for _, other := range customers {
				if slices.Contains(candidates[other.ID], id) {
					wanting = append(wanting, other.ID)
				}
			}
			result.RecordNames[id] = ""
			if rivals = len(wanting); rivals > 1 {
				result.Contested[id] = wanting
			}
		}
		switch own := candidates[c.ID]; {
		case len(own) == 0:
			result.Unmatched = append(result.Unmatched, c.ID)
		case len(own) > 1:
			result.Ambiguous[c.ID] = own
		case rivals == 1:
			result.Matches[c.ID] = own[0]
		}
	}
	return result
}

// TestMatch_isTheNaiveMatch draws few values, so many are equal.
func TestMatch_isTheNaiveMatch(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	if text := os.Getenv("TEST_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	t.Logf("TEST_SEED=%d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		checkNaive(t, dice)
	}
}

// FuzzMatch gives the property test the dice of the fuzzer.
func FuzzMatch(f *testing.F) {
	f.Add(uint64(1), "Record ID,Email\n1,a@b\n")
	f.Add(uint64(2), "\ufeffRecord ID;email\r\n1;\"a@b;c@d\"\r\n2;A@B\r\n")
	f.Fuzz(func(t *testing.T, seed uint64, export string) {
		checkNaive(t, rand.New(rand.NewPCG(seed, 0)))
		customers := []Customer{{ID: "1", PrimaryEmail: "a@b"}, {ID: "2", PrimaryEmail: "c@d"}, {ID: "3"}}
		result, err := Match(customers, export, parseRules(t, "primary_email = Email"), readTestID)
		if err != nil {
			return
		}
		accounted := len(result.Matches) + len(result.Unmatched) + len(result.Ambiguous)
		sole := map[string]bool{}
		for _, wanting := range result.Contested {
			for _, id := range wanting {
				if result.Ambiguous[id] == nil {
					sole[id] = true
				}
			}
		}
		if accounted+len(sole) != len(customers) {
			t.Errorf("%q: %v", export, result)
		}
		for id := range result.RecordNames {
			if !strings.Contains(export, id) {
				t.Errorf("%q: record %s", export, id)
			}
		}
	})
}

func checkNaive(t *testing.T, dice *rand.Rand) {
	t.Helper()
	draw := func(values ...string) string { return values[dice.IntN(len(values))] }
	reference := func() string { return draw("", "", "C-1", "C-2", "C-3", "c-1") }
	email := func() string {
		return draw("", "", "a@b.example", "A@B.example", "k@b.example", "\u212a@b.example",
			"c@d.example;a@b.example", "e@f.example, C@D.example")
	}
	company := func() string { return draw("", "", "Brown Coffee", "BROWN COFFEE", "Straße", "STRASSE", "ſtraße") }
	var customers []Customer
	for i := range dice.IntN(8) {
		customers = append(customers, Customer{
			ID: strconv.Itoa(i + 1), Reference: reference(), PrimaryEmail: email(), CompanyName: company(),
		})
	}
	records := [][]string{}
	for i := range 1 + dice.IntN(8) {
		records = append(records, []string{strconv.Itoa(100 + i), reference(), email(), company()})
	}
	rules := []string{"reference = Number", "primary_email = Email", "company_name = Name"}
	dice.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
	rules = rules[:1+dice.IntN(len(rules))]

	var export strings.Builder
	w := csv.NewWriter(&export)
	w.Comma = []rune(separators)[dice.IntN(len(separators))]
	if err := w.WriteAll(append([][]string{{"Record ID", "Number", "Email", "Name"}}, records...)); err != nil {
		t.Fatal(err)
	}
	got, err := Match(customers, export.String(), parseRules(t, rules...), readTestID)
	if err != nil {
		t.Fatal(err)
	}
	for id := range got.RecordNames { // The naive match does not name records.
		got.RecordNames[id] = ""
	}
	want := matchNaively(customers, records, rules)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("rules %q, customers %+v, export\n%s\nwant (-), got (+):\n%s", rules, customers, export.String(), diff)
	}
}
