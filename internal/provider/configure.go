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

// Environment variables that stand in for settings that are left out.
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

// How to recognize and to find an API key (https://developer.staxbill.com/reference/authentication).
const (
	keyForm  = `A key is base64 of "0:" and 64 characters, 88 characters in all`
	keyPlace = "Fusebill shows it under Settings > Integrations > API Key"
)

// maxMaxRetries bounds max_retries: with waits that double, more of them only hide that the service is away.
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

// unknownAttributes names the settings whose values come from something that isn't applied yet. None of them may fall
// back to its default: a plan would then speak to another account than the apply.
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

// clientSettings checks every setting that is known, so that one run shows all that is wrong, and returns what it makes
// of them. A missing API key isn't an error yet: validation runs where no key is at hand.
func (m providerModel) clientSettings() ([]fusebill.Option, diag.Diagnostics) {
	var (
		options []fusebill.Option
		diags   diag.Diagnostics
	)
	if key := m.apiKey(); key != "" {
		if _, err := fusebill.ParseAPIKey(key); err != nil {
			diags.AddAttributeError(path.Root("api_key"), "Invalid API key", sentence(err)+"\n\n"+whereFrom(m.APIKey, envAPIKey))
		}
	}
	switch baseURL := cmp.Or(m.BaseURL.ValueString(), os.Getenv(envBaseURL)); {
	case m.BaseURL.IsUnknown():
	case baseURL == "":
		// Left out. But one that is set and empty was meant to name an account, which needn't be the default's.
		if isKnown(m.BaseURL) {
			diags.AddAttributeError(path.Root("base_url"), "Invalid base URL", "The base URL is empty. Leave it out for "+
				fusebill.DefaultBaseURL+".\n\nThe value stands in the provider block.")
		}
	default:
		if _, err := fusebill.ParseBaseURL(baseURL); err != nil {
			diags.AddAttributeError(path.Root("base_url"), "Invalid base URL", sentence(err)+"\n\n"+whereFrom(m.BaseURL, envBaseURL))
		}
		options = append(options, fusebill.WithBaseURL(baseURL))
	}
	if n := m.RequestsPerMinute; isKnown(n) {
		if n.ValueInt64() < 1 || n.ValueInt64() > 1_000_000 {
			diags.AddAttributeError(path.Root("requests_per_minute"), "Invalid requests per minute",
				fmt.Sprintf("It must be from 1 to 1000000, not %d. Leave it out for the account's own limit.", n.ValueInt64()))
		}
		options = append(options, fusebill.WithRequestsPerMinute(int(n.ValueInt64())))
	}
	if n := m.MaxRetries; isKnown(n) {
		if n.ValueInt64() < 0 || n.ValueInt64() > maxMaxRetries {
			diags.AddAttributeError(path.Root("max_retries"), "Invalid number of retries",
				fmt.Sprintf("It must be from 0 to %d, not %d.", maxMaxRetries, n.ValueInt64()))
		}
		options = append(options, fusebill.WithMaxRetries(int(n.ValueInt64())))
	}
	if text := m.RequestTimeout; isKnown(text) {
		timeout, err := time.ParseDuration(text.ValueString())
		if err != nil || timeout <= 0 {
			diags.AddAttributeError(path.Root("request_timeout"), "Invalid request timeout",
				fmt.Sprintf("It must be a duration of more than 0, such as \"30s\" or \"2m\", not %q.", text.ValueString()))
		}
		options = append(options, fusebill.WithRequestTimeout(timeout))
	}
	if text := m.CACertificate; isKnown(text) {
		pem := []byte(text.ValueString())
		if err := fusebill.CheckCACertificates(pem); err != nil {
			diags.AddAttributeError(path.Root("ca_certificate"), "Invalid CA certificate", sentence(err)+
				"\n\nGive the certificate itself, for instance by file(\"ca.pem\"), and not the name of its file.")
		}
		options = append(options, fusebill.WithCACertificates(pem))
	}
	return options, diags
}

// maxPages returns how many pages the account may have to be read whole.
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

// baseURL returns the base URL that is set, or the default.
func (m providerModel) baseURL() string {
	return cmp.Or(m.BaseURL.ValueString(), os.Getenv(envBaseURL), fusebill.DefaultBaseURL)
}

// newClient makes the client of a configuration that is wholly known.
func (m providerModel) newClient(userAgent string, extra []fusebill.Option) (*fusebill.Client, diag.Diagnostics) {
	options, diags := m.clientSettings()
	key := m.apiKey()
	if key == "" {
		diags.AddAttributeError(path.Root("api_key"), "Missing API key",
			"Set the environment variable "+envAPIKey+", or api_key in the provider block, to the API key of the Fusebill account.")
	}
	if diags.HasError() {
		return nil, diags
	}
	if err := fusebill.CheckProxyVariables(m.baseURL()); err != nil {
		diags.AddError("Invalid proxy variable", sentence(err)+" Its value is not shown, because it may hold a password.\n\n"+
			"Write each character of the user name and the password that has a meaning in an address as a percent code: %25 for "+
			"%, %23 for #, %40 for @, %2F for / and %3A for :. To call Fusebill without a proxy, unset the variable, and list "+
			"the host of base_url in NO_PROXY.")
		return nil, diags
	}
	if bare, err := fusebill.ParseAPIKey(key); err == nil && !fusebill.HasUsualForm(bare) {
		diags.AddAttributeWarning(path.Root("api_key"), "Unusual API key", fmt.Sprintf("The API key has %d characters. %s. "+
			"Fusebill may refuse this one, unless its support made it long ago.\n\n%s If Fusebill refuses it, copy the key again: %s.",
			len(bare), keyForm, whereFrom(m.APIKey, envAPIKey), keyPlace))
	}
	options = append(options, fusebill.WithUserAgent(userAgent), fusebill.WithLogger(slog.New(newLogHandler(key))))
	client, err := fusebill.NewClient(key, append(options, extra...)...)
	if err != nil {
		diags.AddError("Invalid provider configuration", sentence(err))
	}
	return client, diags
}

// apiKey returns the key that is set, where it is set and known. An empty one in the configuration counts as left out, so
// that a variable with an empty default falls back to the environment.
func (m providerModel) apiKey() string {
	if m.APIKey.IsUnknown() {
		return ""
	}
	return cmp.Or(m.APIKey.ValueString(), os.Getenv(envAPIKey))
}

// whereFrom says where a value at fault stands.
func whereFrom(value types.String, env string) string {
	if value.ValueString() != "" {
		return "The value stands in the provider block."
	}
	return "The value comes from the environment variable " + env + "."
}

func unknownSetting(name string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root(name), "Provider setting not known yet",
		fmt.Sprintf("The value of %s depends on something that is known only after apply, and the provider can't read "+
			"latches without it.\n\nApply what it comes from first (terraform apply -target=ADDRESS), or take the value from "+
			"a variable or the environment.", name))
}

func isKnown(value attr.Value) bool { return !value.IsNull() && !value.IsUnknown() }
