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

// The promises tested here: each setting that is missing, empty, malformed or unknown is one error on its attribute that
// says what to give instead and where the value came from; no error shows a key; the key goes over plain HTTP to loopback
// alone; nothing of this costs a call.
//
// Deferral of what is unknown, for a CLI that allows it, is in protocol_test.go.

func TestClientSettings(t *testing.T) {
	const (
		fromBlock = "\n\nThe value stands in the provider block."
		fromEnv   = "\n\nThe value comes from the environment variable "
		emptyKey  = "The API key is empty."
		brokenKey = "The API key contains white space or a character that no key has; copy it again as Fusebill shows it, in one piece."
		plainHTTP = "The base URL must begin with https://, since the API key would be readable on the way to fusebill.test " +
			"(plain HTTP is for loopback addresses only)."
	)
	for name, test := range map[string]struct {
		model       providerModel
		env         map[string]string
		attribute   string // of the one error; "" where there is none
		summary     string
		detail      string
		optionCount int
	}{
		"nothing set": {},
		"everything right": {
			model: providerModel{
				APIKey: types.StringValue(" Basic " + acctest.APIKey + "\n"), BaseURL: types.StringValue("https://fusebill.test/v1/"),
				RequestsPerMinute: types.Int64Value(1), MaxRetries: types.Int64Value(0), RequestTimeout: types.StringValue("1ms"),
			},
			optionCount: 4,
		},
		"everything unknown, with other values in the environment": {
			model: providerModel{
				APIKey: types.StringUnknown(), BaseURL: types.StringUnknown(),
				RequestsPerMinute: types.Int64Unknown(), MaxRetries: types.Int64Unknown(), RequestTimeout: types.StringUnknown(),
			},
			env: map[string]string{envAPIKey: "no key", envBaseURL: "no URL"},
		},

		"key of white space":     {model: providerModel{APIKey: types.StringValue("  ")}, attribute: "api_key", summary: "Invalid API key", detail: emptyKey + fromBlock},
		"key that is Basic only": {model: providerModel{APIKey: types.StringValue("Basic ")}, attribute: "api_key", summary: "Invalid API key", detail: emptyKey + fromBlock},
		"key in two pieces": {
			model: providerModel{APIKey: types.StringValue("c2VjcmV0 LW9mLXRo")}, attribute: "api_key", summary: "Invalid API key", detail: brokenKey + fromBlock,
		},
		"key from the environment in two lines": {
			env: map[string]string{envAPIKey: "c2VjcmV0\nLW9mLXRo"}, attribute: "api_key", summary: "Invalid API key", detail: brokenKey + fromEnv + "FUSEBILL_API_KEY.",
		},
		"an empty key falls back to the environment": {
			model: providerModel{APIKey: types.StringValue("")}, env: map[string]string{envAPIKey: "two pieces"},
			attribute: "api_key", summary: "Invalid API key", detail: brokenKey + fromEnv + "FUSEBILL_API_KEY.",
		},
		"the configured key wins over the environment": {
			model: providerModel{APIKey: types.StringValue(acctest.APIKey)}, env: map[string]string{envAPIKey: "two pieces"},
		},

		"empty URL": {
			model: providerModel{BaseURL: types.StringValue("")}, attribute: "base_url", summary: "Invalid base URL",
			detail: "The base URL is empty. Leave it out for https://secure.fusebill.com/v1." + fromBlock,
		},
		"an empty URL falls back to the environment": {
			model: providerModel{BaseURL: types.StringValue("")}, env: map[string]string{envBaseURL: "https://fusebill.test/v1"}, optionCount: 1,
		},
		"no URL at all": {
			model: providerModel{BaseURL: types.StringValue("fusebill")}, attribute: "base_url", summary: "Invalid base URL",
			detail: "The base URL must look like https://secure.fusebill.com/v1." + fromBlock,
		},
		"URL from the environment that can't be read": {
			env: map[string]string{envBaseURL: "https://[::1"}, attribute: "base_url", summary: "Invalid base URL",
			detail: "The base URL cannot be read: missing ']' in host." + fromEnv + "FUSEBILL_BASE_URL.",
		},
		"URL of another kind": {
			model: providerModel{BaseURL: types.StringValue("ftp://fusebill.test")}, attribute: "base_url", summary: "Invalid base URL",
			detail: "The base URL must look like https://secure.fusebill.com/v1." + fromBlock,
		},
		"URL with a password, which isn't shown": {
			model: providerModel{BaseURL: types.StringValue("https://me:" + acctest.APIKey + "@fusebill.test/v1")}, attribute: "base_url", summary: "Invalid base URL",
			detail: "The base URL must have no user, query or fragment." + fromBlock,
		},
		"plain HTTP":             {model: providerModel{BaseURL: types.StringValue("http://fusebill.test/v1")}, attribute: "base_url", summary: "Invalid base URL", detail: plainHTTP + fromBlock},
		"plain HTTP to loopback": {model: providerModel{BaseURL: types.StringValue("http://[::1]:8080/v1")}, optionCount: 1},

		"no requests": {
			model: providerModel{RequestsPerMinute: types.Int64Value(0)}, attribute: "requests_per_minute", summary: "Invalid requests per minute",
			detail: "It must be from 1 to 1000000, not 0. Leave it out for the account's own limit.",
		},
		"more requests than an int holds": {
			model: providerModel{RequestsPerMinute: types.Int64Value(1 << 40)}, attribute: "requests_per_minute", summary: "Invalid requests per minute",
			detail: "It must be from 1 to 1000000, not 1099511627776. Leave it out for the account's own limit.",
		},
		"retries below 0": {
			model: providerModel{MaxRetries: types.Int64Value(-1)}, attribute: "max_retries", summary: "Invalid number of retries",
			detail: "It must be from 0 to 20, not -1.",
		},
		"too many retries": {
			model: providerModel{MaxRetries: types.Int64Value(21)}, attribute: "max_retries", summary: "Invalid number of retries",
			detail: "It must be from 0 to 20, not 21.",
		},
		"timeout without a unit": {
			model: providerModel{RequestTimeout: types.StringValue("30")}, attribute: "request_timeout", summary: "Invalid request timeout",
			detail: `It must be a duration of more than 0, such as "30s" or "2m", not "30".`,
		},
		"timeout of 0": {
			model: providerModel{RequestTimeout: types.StringValue("0s")}, attribute: "request_timeout", summary: "Invalid request timeout",
			detail: `It must be a duration of more than 0, such as "30s" or "2m", not "0s".`,
		},
		"empty timeout": {
			model: providerModel{RequestTimeout: types.StringValue("")}, attribute: "request_timeout", summary: "Invalid request timeout",
			detail: `It must be a duration of more than 0, such as "30s" or "2m", not "".`,
		},
		"file name for a certificate": {
			model: providerModel{CACertificate: types.StringValue("ca.pem")}, attribute: "ca_certificate", summary: "Invalid CA certificate",
			detail: "The CA certificate is not in PEM form, which begins with -----BEGIN CERTIFICATE-----.\n\nGive the certificate itself, for " +
				"instance by file(\"ca.pem\"), and not the name of its file.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range test.env {
				t.Setenv(variable, value)
			}
			options, diags := test.model.clientSettings()
			var want diag.Diagnostics
			if test.attribute != "" {
				want.AddAttributeError(path.Root(test.attribute), test.summary, test.detail)
			} else if len(options) != test.optionCount {
				t.Errorf("%d settings are made, want %d", len(options), test.optionCount)
			}
			if diff := gocmp.Diff(want, diags); diff != "" {
				t.Errorf("diagnostics (- want, + got):\n%s", diff)
			}
			if test.attribute == "" {
				if _, err := fusebill.NewClient(acctest.APIKey, options...); err != nil {
					t.Errorf("accepted settings that the client refuses: %v", err)
				}
			}
		})
	}
}

// One run shows all that is wrong.
func TestClientSettings_allErrorsAtOnce(t *testing.T) {
	t.Parallel()
	_, diags := providerModel{
		APIKey: types.StringValue("two pieces"), BaseURL: types.StringValue("http://fusebill.test"),
		RequestsPerMinute: types.Int64Value(0), MaxRetries: types.Int64Value(-1), RequestTimeout: types.StringValue("soon"),
	}.clientSettings()
	if n := diags.ErrorsCount(); n != 5 {
		t.Errorf("%d errors, want one for each of 5 settings: %v", n, diags)
	}
}

func TestNewClient_needsKey(t *testing.T) {
	t.Setenv(envAPIKey, "")
	for name, key := range map[string]types.String{"left out": types.StringNull(), "empty": types.StringValue("")} {
		client, diags := providerModel{APIKey: key}.newClient("test", nil)
		want := diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root("api_key"), "Missing API key",
			"Set the environment variable FUSEBILL_API_KEY, or api_key in the provider block, to the API key of the Fusebill account.")}
		if diff := gocmp.Diff(want, diags); client != nil || diff != "" {
			t.Errorf("%s: client %v, diagnostics (- want, + got):\n%s", name, client, diff)
		}
	}
}

// A key of another form is a warning and no error: the service decides.
func TestNewClient_warnsOfUnusualKey(t *testing.T) {
	t.Setenv(envAPIKey, "Basic "+acctest.APIKey[:40])
	client, diags := providerModel{}.newClient("test", nil)
	want := diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("api_key"), "Unusual API key",
		"The API key has 40 characters. A key is base64 of \"0:\" and 64 characters, 88 characters in all. Fusebill may refuse this one, "+
			"unless its support made it long ago.\n\nThe value comes from the environment variable FUSEBILL_API_KEY. If Fusebill refuses "+
			"it, copy the key again: Fusebill shows it under Settings > Integrations > API Key.")}
	if diff := gocmp.Diff(want, diags); client == nil || diff != "" {
		t.Errorf("client %v, diagnostics (- want, + got):\n%s", client, diff)
	}
	if _, diags := (providerModel{APIKey: types.StringValue(acctest.APIKey)}).newClient("test", nil); len(diags) != 0 {
		t.Errorf("a usual key: %v", diags)
	}
}

// A malformed key is a 400, and stops a plan as a wrong one does.
func TestAccProvider_malformedKey(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"ErrorId":0,"HttpStatusCode":400,"Errors":[{"Key":"Api Error","Value":"Authorization key is not in the correct format."}]}`)
	}))
	t.Cleanup(server.Close)
	config := acctest.ProviderBlock(`api_key = "half-a-key"`, fmt.Sprintf("base_url = %q", server.URL+"/v1")) +
		acctest.Customer{ID: 11, Contact: 101}.Block()
	acctest.Run(t, acctest.Refused(config, acctest.Diagnosis("Fusebill refused the API key", "", "Authorization key is not in the correct format.",
		"The provider sent the API key to "+server.URL+"/v1", "Fusebill shows it under Settings > Integrations > API Key")))
}

// A client and what hands its logs on are dumped by careless code now and then.
func TestNewClient_dumpShowsNoKey(t *testing.T) {
	t.Parallel()
	client, diags := providerModel{APIKey: types.StringValue(acctest.APIKey)}.newClient("test", nil)
	if diags.HasError() {
		t.Fatal(diags)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, dumped := range []any{client, *client, newLogHandler(acctest.APIKey)} {
			if text := fmt.Sprintf(format, dumped); strings.Contains(text, acctest.APIKey) {
				t.Errorf("%s of a %T shows the key: %s", format, dumped, text)
			}
		}
	}
}

// The CLI's view of it: the error points at the line at fault. That a plan fails with it means that no call was made,
// since there is no client to make one.
func TestAccProvider_settingsAtFault(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings []string
		summary  string
		line     string
		text     string
	}{
		"malformed key": {[]string{`api_key = "two pieces"`}, "Invalid API key", `api_key = "two pieces"`, "copy it again as Fusebill shows it"},
		"unknown key": {
			[]string{"api_key = terraform_data.source.output"}, "Provider setting not known yet", "api_key = terraform_data.source.output",
			"The value of api_key depends on something that is known only after apply",
		},
		"empty URL":     {[]string{`base_url = ""`}, "Invalid base URL", `base_url = ""`, "Leave it out for"},
		"malformed URL": {[]string{`base_url = "fusebill"`}, "Invalid base URL", `base_url = "fusebill"`, "must look like https://secure.fusebill.com/v1"},
		"plain HTTP": {
			[]string{`base_url = "http://fusebill.test/v1"`}, "Invalid base URL", `base_url = "http://fusebill.test/v1"`,
			"must begin with https://, since the API key would be readable on the way to fusebill.test",
		},
		"unknown URL": {
			[]string{"base_url = terraform_data.source.output"}, "Provider setting not known yet", "base_url = terraform_data.source.output",
			"Apply what it comes from first (terraform apply -target=ADDRESS), or take the value from a variable or the environment.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			source := acctest.Block(`resource "terraform_data" "source"`, `input = "https://fusebill.test/v1"`)
			acctest.Run(t, acctest.Refused(source+acctest.ProviderBlock(c.settings...)+acctest.Customer{ID: 11, Contact: 101}.Block(), acctest.Diagnosis(c.summary, c.line, c.text)))
		})
	}
}

// A proxy that looks into TLS signs by an authority of its own.
func TestAccProvider_caCertificate(t *testing.T) {
	sim := acctest.SimulatorWith(acctest.Customer{ID: 11})
	server := httptest.NewUnstartedServer(sim)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // It tells of clients that don't trust it.
	server.StartTLS()
	t.Cleanup(server.Close)
	a := acctest.Account{Simulator: sim, URL: server.URL + "/v1"}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	acctest.Run(t,
		acctest.Refused(a.Provider("max_retries = 0")+acctest.Customer{ID: 11, Contact: 101}.Block(), acctest.Diagnosis("TLS certificate is not trusted", "", "certificate signed by unknown authority",
			"give its authority's certificate as ca_certificate")),
		resource.TestStep{
			Config:        a.Provider(fmt.Sprintf("ca_certificate = <<-EOT\n%sEOT\n", certificate)) + acctest.Customer{ID: 11, Contact: 101}.Block(),
			PostApplyFunc: func() { a.Holds(t, acctest.Customer{ID: 11, Contact: 101}) },
		})
}

// Values that are unknown at plan only because nothing is applied yet work once they are known.
func TestAccProvider_settingKnownAfterFirstApply(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	source := acctest.Block(`resource "terraform_data" "source"`, fmt.Sprintf("input = %q", a.URL))
	config := source + acctest.ProviderBlock("base_url = terraform_data.source.output")
	first := acctest.Refused(config+acctest.Customer{ID: 11, Contact: 101}.Block(), acctest.Diagnosis("Provider setting not known yet", "base_url = terraform_data.source.output"))
	apply := a.Step(t, acctest.Step{
		Config: config + acctest.Customer{ID: 11, Contact: 101}.Block(),
		Action: plancheck.ResourceActionCreate, After: acctest.Customer{ID: 11, Contact: 101}, Writes: []acctest.Customer{{ID: 11, Contact: 101}},
	})
	acctest.Run(t, first, resource.TestStep{Config: source}, apply)
}
