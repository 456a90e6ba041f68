package acctest

import (
	"fmt"
	"strings"
)

// Foreign is a state that a resource of another provider has written.
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

// RestapiObject is a state of a restapi_object.
func RestapiObject(attributes string) Foreign {
	return Foreign{Provider: Restapi, TypeName: "restapi_object", State: attributes}
}

// RestfulResource is a state of a restful_resource.
func RestfulResource(attributes string) Foreign {
	return Foreign{Provider: restful, TypeName: "restful_resource", State: attributes}
}

// NullResource is a state of a null_resource.
func NullResource(attributes string) Foreign {
	return Foreign{Provider: NullNames, TypeName: "null_resource", State: attributes}
}

// InState is a resource as a state file has it.
func (m Foreign) InState(name string) string {
	return fmt.Sprintf(`{"mode": "managed", "type": %q, "name": %q, "provider": "provider[\"%s\"]",
		"instances": [{"schema_version": 0, "attributes": %s}]}`, m.TypeName, name, m.Provider, m.State)
}

// StateOf is a state file of these resources.
func StateOf(resources ...string) string {
	return fmt.Sprintf(`{"version": 4, "terraform_version": "1.8.0", "serial": 1, "lineage": "4543e38f-961e-8273-cb02-2575685471cd",
		"outputs": {}, "resources": [%s]}`, strings.Join(resources, ","))
}
