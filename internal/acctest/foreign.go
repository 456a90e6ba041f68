package acctest

import (
	"fmt"
	"strings"
)

// Foreign is the state of a resource of another provider.
type Foreign struct {
	Provider, TypeName string
	State              string
}

// The addresses of the providers, as Terraform gives them.
const (
	Restapi   = "registry.terraform.io/mastercard/restapi"
	restful   = "registry.terraform.io/magodo/restful"
	Builtin   = "terraform.io/builtin/terraform"
	NullNames = "registry.terraform.io/hashicorp/null"
)

// RestapiObject returns the state of a restapi_object.
func RestapiObject(attributes string) Foreign {
	return Foreign{Provider: Restapi, TypeName: "restapi_object", State: attributes}
}

// RestfulResource returns the state of a restful_resource.
func RestfulResource(attributes string) Foreign {
	return Foreign{Provider: restful, TypeName: "restful_resource", State: attributes}
}

// NullResource returns the state of a null_resource.
func NullResource(attributes string) Foreign {
	return Foreign{Provider: NullNames, TypeName: "null_resource", State: attributes}
}

// InState returns the resource as a state file has it.
func (m Foreign) InState(name string) string {
	return fmt.Sprintf(`{"mode": "managed", "type": %q, "name": %q, "provider": "provider[\"%s\"]",
		"instances": [{"schema_version": 0, "attributes": %s}]}`, m.TypeName, name, m.Provider, m.State)
}

// StateOf returns a state file with these resources.
func StateOf(resources ...string) string {
	return fmt.Sprintf(`{"version": 4, "terraform_version": "1.8.0", "serial": 1, "lineage": "4543e38f-961e-8273-cb02-2575685471cd",
		"outputs": {}, "resources": [%s]}`, strings.Join(resources, ","))
}
