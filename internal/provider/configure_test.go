package provider

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Each setting that is empty or malformed is one error on its attribute. The error explains what to
// write instead and where the value comes from, and it does not show a key. A setting that is
// missing or unknown is no error. None of this makes a call.
func TestClientSettings_reportsInvalidValue(t *testing.T) {
	const (
		fromBlock = "\n\nThe value is set in the provider block."
		fromEnv   = "\n\nThe value comes from the environment variable "
		emptyKey  = "The API key is empty."
		brokenKey = "The API key contains white space or a character that no key has; " +
			"copy it again as Fusebill shows it, in one piece."
		likeDefault = "The base URL must look like https://secure.fusebill.com/v1."
		plainHTTP   = "The base URL must begin with https://, since the API key would be readable on the way to " +
			"fusebill.test (plain HTTP is for loopback addresses only)."
		timeoutForm = `request_timeout must be a duration of more than 0, such as "30s" or "2m", not `
	)
	invalid := func(attribute, summary, detail string) diag.Diagnostics {
		return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root(attribute), summary, detail)}
	}
	invalidKey := func(detail string) diag.Diagnostics { return invalid("api_key", "Invalid API key", detail) }
	invalidURL := func(detail string) diag.Diagnostics { return invalid("base_url", "Invalid base URL", detail) }
	invalidTimeout := func(detail string) diag.Diagnostics {
		return invalid("request_timeout", "Invalid request timeout", detail)
	}
	withKey := func(key string) providerModel { return providerModel{APIKey: types.StringValue(key)} }
	withURL := func(url string) providerModel { return providerModel{BaseURL: types.StringValue(url)} }
	withTimeout := func(timeout string) providerModel {
		return providerModel{RequestTimeout: types.StringValue(timeout)}
	}
	for name, test := range map[string]struct {
		model       providerModel
		env         map[string]string
		want        diag.Diagnostics
		optionCount int
	}{
		"no setting": {},
		"all settings valid": {
			model: providerModel{
				APIKey: types.StringValue(" Basic " + acctest.APIKey + "\n"), BaseURL: types.StringValue("https://fusebill.test/v1/"),
				RequestsPerMinute: types.Int64Value(1), MaxRetries: types.Int64Value(0), RequestTimeout: types.StringValue("1ms"),
			},
			optionCount: 4,
		},
		"all settings unknown, with invalid values in the environment": {
			model: providerModel{
				APIKey: types.StringUnknown(), BaseURL: types.StringUnknown(),
				RequestsPerMinute: types.Int64Unknown(), MaxRetries: types.Int64Unknown(), RequestTimeout: types.StringUnknown(),
			},
			env: map[string]string{envAPIKey: "no key", envBaseURL: "no URL"},
		},

		"key of white space":  {model: withKey("  "), want: invalidKey(emptyKey + fromBlock)},
		"key of only 'Basic'": {model: withKey("Basic "), want: invalidKey(emptyKey + fromBlock)},
		"key in two pieces":   {model: withKey("c2VjcmV0 LW9mLXRo"), want: invalidKey(brokenKey + fromBlock)},
		"key from the environment in two lines": {
			env: map[string]string{envAPIKey: "c2VjcmV0\nLW9mLXRo"}, want: invalidKey(brokenKey + fromEnv + "FUSEBILL_API_KEY."),
		},
		"empty key falls back to the environment": {
			model: withKey(""), env: map[string]string{envAPIKey: "two pieces"},
			want: invalidKey(brokenKey + fromEnv + "FUSEBILL_API_KEY."),
		},
		"configured key wins over the environment": {
			model: withKey(acctest.APIKey), env: map[string]string{envAPIKey: "two pieces"},
		},

		"empty URL": {
			model: withURL(""),
			want:  invalidURL("The base URL is empty. Leave it out to use https://secure.fusebill.com/v1." + fromBlock),
		},
		"empty URL falls back to the environment": {
			model: withURL(""), env: map[string]string{envBaseURL: "https://fusebill.test/v1"}, optionCount: 1,
		},
		"URL without a scheme": {model: withURL("fusebill"), want: invalidURL(likeDefault + fromBlock)},
		"malformed URL from the environment": {
			env:  map[string]string{envBaseURL: "https://[::1"},
			want: invalidURL("The base URL cannot be read: missing ']' in host." + fromEnv + "FUSEBILL_BASE_URL."),
		},
		"URL with another scheme": {model: withURL("ftp://fusebill.test"), want: invalidURL(likeDefault + fromBlock)},
		"URL with a password": {
			model: withURL("https://me:" + acctest.APIKey + "@fusebill.test/v1"),
			want:  invalidURL("The base URL must have no user, query or fragment." + fromBlock),
		},
		"plain HTTP":             {model: withURL("http://fusebill.test/v1"), want: invalidURL(plainHTTP + fromBlock)},
		"plain HTTP to loopback": {model: withURL("http://[::1]:8080/v1"), optionCount: 1},

		"0 requests per minute": {
			model: providerModel{RequestsPerMinute: types.Int64Value(0)},
			want: invalid("requests_per_minute", "Invalid requests per minute",
				"requests_per_minute must be from 1 to 1000000, not 0. Leave it out to use the account's own limit."),
		},
		"more requests per minute than an int32": {
			model: providerModel{RequestsPerMinute: types.Int64Value(1 << 40)},
			want: invalid("requests_per_minute", "Invalid requests per minute",
				"requests_per_minute must be from 1 to 1000000, not 1099511627776. Leave it out to use the account's own limit."),
		},
		"negative number of retries": {
			model: providerModel{MaxRetries: types.Int64Value(-1)},
			want:  invalid("max_retries", "Invalid number of retries", "max_retries must be from 0 to 20, not -1."),
		},
		"too many retries": {
			model: providerModel{MaxRetries: types.Int64Value(21)},
			want:  invalid("max_retries", "Invalid number of retries", "max_retries must be from 0 to 20, not 21."),
		},
		"timeout without a unit": {model: withTimeout("30"), want: invalidTimeout(timeoutForm + `"30".`)},
		"timeout of 0":           {model: withTimeout("0s"), want: invalidTimeout(timeoutForm + `"0s".`)},
		"empty timeout":          {model: withTimeout(""), want: invalidTimeout(timeoutForm + `"".`)},
		"file name for a certificate": {
			model: providerModel{CACertificate: types.StringValue("ca.pem")},
			want: invalid("ca_certificate", "Invalid CA certificate",
				"The CA certificate is not in PEM form, which begins with -----BEGIN CERTIFICATE-----.\n\n"+
					"Set ca_certificate to the content of the file, for example with file(\"ca.pem\"), not to its name."),
		},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range test.env {
				t.Setenv(variable, value)
			}
			options, diags := test.model.clientSettings()
			if diff := gocmp.Diff(test.want, diags); diff != "" {
				t.Errorf("diagnostics differ (-want +got):\n%s", diff)
			}
			if test.want != nil {
				return
			}
			if len(options) != test.optionCount {
				t.Errorf("got %d options, want %d", len(options), test.optionCount)
			}
			if _, err := fusebill.NewClient(acctest.APIKey, options...); err != nil {
				t.Errorf("the client refuses the accepted settings: %v", err)
			}
		})
	}
}

// One run reports all invalid settings.
func TestClientSettings_reportsAllInvalidValues(t *testing.T) {
	t.Parallel()
	_, diags := providerModel{
		APIKey: types.StringValue("two pieces"), BaseURL: types.StringValue("http://fusebill.test"),
		RequestsPerMinute: types.Int64Value(0), MaxRetries: types.Int64Value(-1), RequestTimeout: types.StringValue("soon"),
	}.clientSettings()
	if n := diags.ErrorsCount(); n != 5 {
		t.Errorf("got %d errors, want one for each of 5 settings: %v", n, diags)
	}
}

// A missing API key is an error on its attribute.
func TestNewClient_needsKey(t *testing.T) {
	t.Setenv(envAPIKey, "")
	for name, key := range map[string]types.String{"left out": types.StringNull(), "empty": types.StringValue("")} {
		client, diags := providerModel{APIKey: key}.newClient("test", nil)
		want := diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root("api_key"), "Missing API key",
			"Set the environment variable FUSEBILL_API_KEY, or api_key in the provider block, "+
				"to the API key of the Fusebill account.")}
		if diff := gocmp.Diff(want, diags); client != nil || diff != "" {
			t.Errorf("%s: got client %v; diagnostics differ (-want +got):\n%s", name, client, diff)
		}
	}
}

// A key of an unusual form is a warning and not an error, because only Fusebill can decide.
func TestNewClient_warnsOfUnusualKey(t *testing.T) {
	t.Setenv(envAPIKey, "Basic "+acctest.APIKey[:40])
	client, diags := providerModel{}.newClient("test", nil)
	want := diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("api_key"), "Unusual API key",
		"The API key has 40 characters. A key is base64 of \"0:\" and 64 characters, 88 characters in all. "+
			"Fusebill may refuse this key, unless it is an old one that Fusebill's support issued.\n\n"+
			"The value comes from the environment variable FUSEBILL_API_KEY. If Fusebill refuses the key, copy it again: "+
			"Fusebill shows it under Settings > Integrations > API Key.")}
	if diff := gocmp.Diff(want, diags); client == nil || diff != "" {
		t.Errorf("got client %v; diagnostics differ (-want +got):\n%s", client, diff)
	}
	if _, diags := (providerModel{APIKey: types.StringValue(acctest.APIKey)}).newClient("test", nil); len(diags) != 0 {
		t.Errorf("got %v for a key of the usual form", diags)
	}
}

// Fusebill answers a malformed key with a 400, which stops a plan as the 401 of a wrong key does.
func TestAccProvider_stopsPlanWithMalformedKey(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"ErrorId":0,"HttpStatusCode":400,"Errors":[`+
			`{"Key":"Api Error","Value":"Authorization key is not in the correct format."}]}`)
	}))
	t.Cleanup(server.Close)
	config := acctest.ProviderBlock(`api_key = "half-a-key"`, fmt.Sprintf("base_url = %q", server.URL+"/v1")) +
		acctest.Customer{ID: 11, Contact: 101}.Block()
	acctest.Run(t, acctest.Refused(config, acctest.Diagnosis("Fusebill refused the API key", "",
		"Authorization key is not in the correct format.",
		"The provider sent the API key to "+server.URL+"/v1", "Fusebill shows it under Settings > Integrations > API Key")))
}

// Printing a client or a log handler with package fmt does not show the key.
func TestNewClient_printsNoKey(t *testing.T) {
	t.Parallel()
	client, diags := providerModel{APIKey: types.StringValue(acctest.APIKey)}.newClient("test", nil)
	if diags.HasError() {
		t.Fatal(diags)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, printed := range []any{client, *client, newLogHandler(acctest.APIKey)} {
			if text := fmt.Sprintf(format, printed); strings.Contains(text, acctest.APIKey) {
				t.Errorf("%s of a %T shows the key: %s", format, printed, text)
			}
		}
	}
}

// The CLI shows the error on the line of the invalid setting. A plan that fails with such an error
// has made no call, because the provider has made no client.
func TestAccProvider_reportsLineOfInvalidSetting(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings []string
		summary  string
		line     string
		text     string
	}{
		"malformed key": {
			[]string{`api_key = "two pieces"`}, "Invalid API key", `api_key = "two pieces"`,
			"copy it again as Fusebill shows it",
		},
		"unknown key": {
			[]string{"api_key = terraform_data.source.output"}, "Provider setting not known yet",
			"api_key = terraform_data.source.output", "The value of api_key is known only after apply",
		},
		"empty URL": {[]string{`base_url = ""`}, "Invalid base URL", `base_url = ""`, "Leave it out to use"},
		"malformed URL": {
			[]string{`base_url = "fusebill"`}, "Invalid base URL", `base_url = "fusebill"`,
			"must look like https://secure.fusebill.com/v1",
		},
		"plain HTTP": {
			[]string{`base_url = "http://fusebill.test/v1"`}, "Invalid base URL", `base_url = "http://fusebill.test/v1"`,
			"must begin with https://, since the API key would be readable on the way to fusebill.test",
		},
		"unknown URL": {
			[]string{"base_url = terraform_data.source.output"}, "Provider setting not known yet",
			"base_url = terraform_data.source.output",
			"Apply the resource that it comes from first (terraform apply -target=ADDRESS), " +
				"or take the value from a variable or the environment.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			source := acctest.Block(`resource "terraform_data" "source"`, `input = "https://fusebill.test/v1"`)
			config := source + acctest.ProviderBlock(c.settings...) + acctest.Customer{ID: 11, Contact: 101}.Block()
			acctest.Run(t, acctest.Refused(config, acctest.Diagnosis(c.summary, c.line, c.text)))
		})
	}
}

// A proxy that inspects TLS signs its certificates with its own authority. ca_certificate makes the
// provider trust it.
func TestAccProvider_trustsCACertificate(t *testing.T) {
	sim := acctest.SimulatorWith(acctest.Customer{ID: 11})
	server := httptest.NewUnstartedServer(sim)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // It would log each client that refuses the certificate.
	server.StartTLS()
	t.Cleanup(server.Close)
	a := acctest.Account{Simulator: sim, URL: server.URL + "/v1"}
	latch := acctest.Customer{ID: 11, Contact: 101}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	acctest.Run(t,
		acctest.Refused(a.Provider("max_retries = 0")+latch.Block(),
			acctest.Diagnosis("TLS certificate is not trusted", "", "certificate signed by unknown authority",
				"set the certificate of its authority in the provider block")),
		resource.TestStep{
			Config:        a.Provider(fmt.Sprintf("ca_certificate = <<-EOT\n%sEOT\n", certificate)) + latch.Block(),
			PostApplyFunc: func() { a.Holds(t, latch) },
		})
}

// A setting that is known only after apply works once the resource that it comes from is applied.
func TestAccProvider_acceptsSettingKnownAfterApply(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	source := acctest.Block(`resource "terraform_data" "source"`, fmt.Sprintf("input = %q", a.URL))
	config := source + acctest.ProviderBlock("base_url = terraform_data.source.output")
	latch := acctest.Customer{ID: 11, Contact: 101}
	first := acctest.Refused(config+latch.Block(),
		acctest.Diagnosis("Provider setting not known yet", "base_url = terraform_data.source.output"))
	apply := a.Step(t, acctest.Step{
		Config: config + latch.Block(),
		Action: plancheck.ResourceActionCreate, After: latch, Writes: []acctest.Customer{latch},
	})
	acctest.Run(t, first, resource.TestStep{Config: source}, apply)
}
