package provider

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"os"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// Environment variables that provide the values of settings that are left out.
const (
	envAPIKey  = "FUSEBILL_API_KEY" //nolint:gosec // The name of a variable, not a key.
	envBaseURL = "FUSEBILL_BASE_URL"
)

// Values of conflict_check.
const (
	conflictCheckAuto   = "auto"
	conflictCheckAlways = "always"
	conflictCheckNever  = "never"
)

// The form of an API key, and the page that shows it
// (https://developer.staxbill.com/reference/authentication).
const (
	keyForm  = `A key is base64 of "0:" and 64 characters, 88 characters in all`
	keyPlace = "Fusebill shows it under Settings > Integrations > API Key"
)

// maxMaxRetries is the largest max_retries. The wait between retries doubles, so more retries would
// only hide an outage.
const maxMaxRetries = 20

// providerModel is the provider block.
type providerModel struct {
	APIKey            types.String `tfsdk:"api_key"`
	BaseURL           types.String `tfsdk:"base_url"`
	RequestsPerMinute types.Int64  `tfsdk:"requests_per_minute"`
	MaxRetries        types.Int64  `tfsdk:"max_retries"`
	RequestTimeout    types.String `tfsdk:"request_timeout"`
	ConflictCheck     types.String `tfsdk:"conflict_check"`
	CACertificate     types.String `tfsdk:"ca_certificate"`
}

// unknownAttributes returns the names of the settings whose values are known only after apply. The
// provider must not use the default of such a setting: the plan would then use another account than
// the apply.
func (m providerModel) unknownAttributes() []string {
	var names []string
	for _, setting := range []struct {
		name  string
		value attr.Value
	}{
		{"api_key", m.APIKey},
		{"base_url", m.BaseURL},
		{"requests_per_minute", m.RequestsPerMinute},
		{"max_retries", m.MaxRetries},
		{"request_timeout", m.RequestTimeout},
		{"conflict_check", m.ConflictCheck},
		{"ca_certificate", m.CACertificate},
	} {
		if setting.value.IsUnknown() {
			names = append(names, setting.name)
		}
	}
	return names
}

// clientSettings checks every known setting and returns the client's options for them. It reports
// all invalid settings, so one run shows them all. It accepts a missing API key, because a
// configuration may be validated without a key.
func (m providerModel) clientSettings() ([]fusebill.Option, diag.Diagnostics) {
	var (
		options []fusebill.Option
		diags   diag.Diagnostics
	)
	if key := m.apiKey(); key != "" {
		if _, err := fusebill.ParseAPIKey(key); err != nil {
			diags.AddAttributeError(path.Root("api_key"), "Invalid API key",
				sentence(err)+"\n\n"+sourceOf(m.APIKey, envAPIKey))
		}
	}
	switch baseURL := cmp.Or(m.BaseURL.ValueString(), os.Getenv(envBaseURL)); {
	case m.BaseURL.IsUnknown():
	case baseURL == "":
		// A URL that is set but empty was meant to name a service, which need not be the default
		// one.
		if isKnown(m.BaseURL) {
			diags.AddAttributeError(path.Root("base_url"), "Invalid base URL",
				"The base URL is empty. Leave it out to use "+fusebill.DefaultBaseURL+".\n\n"+setInBlock)
		}
	default:
		if _, err := fusebill.ParseBaseURL(baseURL); err != nil {
			diags.AddAttributeError(path.Root("base_url"), "Invalid base URL",
				sentence(err)+"\n\n"+sourceOf(m.BaseURL, envBaseURL))
		}
		options = append(options, fusebill.WithBaseURL(baseURL))
	}
	if n := m.RequestsPerMinute; isKnown(n) {
		if n.ValueInt64() < 1 || n.ValueInt64() > 1_000_000 {
			diags.AddAttributeError(path.Root("requests_per_minute"), "Invalid requests per minute",
				fmt.Sprintf("requests_per_minute must be from 1 to 1000000, not %d. Leave it out to use the account's own limit.",
					n.ValueInt64()))
		}
		options = append(options, fusebill.WithRequestsPerMinute(int(n.ValueInt64())))
	}
	if n := m.MaxRetries; isKnown(n) {
		if n.ValueInt64() < 0 || n.ValueInt64() > maxMaxRetries {
			diags.AddAttributeError(path.Root("max_retries"), "Invalid number of retries",
				fmt.Sprintf("max_retries must be from 0 to %d, not %d.", maxMaxRetries, n.ValueInt64()))
		}
		options = append(options, fusebill.WithMaxRetries(int(n.ValueInt64())))
	}
	if text := m.RequestTimeout; isKnown(text) {
		timeout, err := time.ParseDuration(text.ValueString())
		if err != nil || timeout <= 0 {
			diags.AddAttributeError(path.Root("request_timeout"), "Invalid request timeout",
				fmt.Sprintf("request_timeout must be a duration of more than 0, such as \"30s\" or \"2m\", not %q.",
					text.ValueString()))
		}
		options = append(options, fusebill.WithRequestTimeout(timeout))
	}
	if text := m.CACertificate; isKnown(text) {
		pem := []byte(text.ValueString())
		if err := fusebill.CheckCACertificates(pem); err != nil {
			diags.AddAttributeError(path.Root("ca_certificate"), "Invalid CA certificate", sentence(err)+
				"\n\nSet ca_certificate to the content of the file, for example with file(\"ca.pem\"), not to its name.")
		}
		options = append(options, fusebill.WithCACertificates(pem))
	}
	return options, diags
}

// maxPages returns the number of pages up to which the account is read to check for conflicts.
func (m providerModel) maxPages() int {
	switch m.ConflictCheck.ValueString() {
	case conflictCheckAlways:
		return math.MaxInt
	case conflictCheckNever:
		return 0
	default:
		return latch.DefaultMaxPages
	}
}

// baseURL returns the configured base URL, or the default one.
func (m providerModel) baseURL() string {
	return cmp.Or(m.BaseURL.ValueString(), os.Getenv(envBaseURL), fusebill.DefaultBaseURL)
}

// newClient makes a client. All settings of the configuration must be known.
func (m providerModel) newClient(userAgent string, extra []fusebill.Option) (*fusebill.Client, diag.Diagnostics) {
	options, diags := m.clientSettings()
	key := m.apiKey()
	if key == "" {
		diags.AddAttributeError(path.Root("api_key"), "Missing API key",
			"Set the environment variable "+envAPIKey+", or api_key in the provider block, "+
				"to the API key of the Fusebill account.")
	}
	if diags.HasError() {
		return nil, diags
	}
	if err := fusebill.CheckProxyVariables(m.baseURL()); err != nil {
		diags.AddError("Invalid proxy variable", sentence(err)+
			" Its value is not shown, because it may contain a password.\n\n"+
			"In the user name and the password, write %25 for %, %23 for #, %40 for @, %2F for / and %3A for :. "+
			"To call Fusebill without a proxy, unset the variable, or correct it and list the host "+
			"of base_url in NO_PROXY.")
		return nil, diags
	}
	if bare, err := fusebill.ParseAPIKey(key); err == nil && !fusebill.HasUsualForm(bare) {
		diags.AddAttributeWarning(path.Root("api_key"), "Unusual API key", fmt.Sprintf("The API key has %d characters. %s. "+
			"Fusebill may refuse this key, unless it is an old one that Fusebill's support issued.\n\n"+
			"%s If Fusebill refuses the key, copy it again: %s.",
			len(bare), keyForm, sourceOf(m.APIKey, envAPIKey), keyPlace))
	}
	options = append(options, fusebill.WithUserAgent(userAgent), fusebill.WithLogger(slog.New(newLogHandler(key))))
	client, err := fusebill.NewClient(key, append(options, extra...)...)
	if err != nil {
		diags.AddError("Invalid provider configuration", sentence(err))
	}
	return client, diags
}

// apiKey returns the API key, or "" where it is missing or unknown. An empty key in the
// configuration counts as left out, so a Terraform variable with an empty default falls back to the
// environment.
func (m providerModel) apiKey() string {
	if m.APIKey.IsUnknown() {
		return ""
	}
	return cmp.Or(m.APIKey.ValueString(), os.Getenv(envAPIKey))
}

const setInBlock = "The value is set in the provider block."

// sourceOf returns the sentence of a message that names the source of an invalid value.
func sourceOf(value types.String, env string) string {
	if value.ValueString() != "" {
		return setInBlock
	}
	return "The value comes from the environment variable " + env + "."
}

// unknownSetting is the error of a setting that is known only after apply.
func unknownSetting(name string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root(name), "Provider setting not known yet",
		fmt.Sprintf("The value of %s is known only after apply, and the provider cannot read latches without it.\n\n"+
			"Apply the resource that it comes from first (terraform apply -target=ADDRESS), or take the value from "+
			"a variable or the environment.", name))
}

func isKnown(value attr.Value) bool { return !value.IsNull() && !value.IsUnknown() }
