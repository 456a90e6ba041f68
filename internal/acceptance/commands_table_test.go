package acceptance

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The customers of each account, besides the subject and the bystander.
const (
	newHolder = 12 // gets the contact of the subject where another customer holds it
	neighbour = 13 // has a resource of its own
	sibling   = 14 // is in the same set as the subject
)

// The contacts of the subject.
const (
	priorContact    = 101 // in the state
	declaredContact = 102 // declared by an update
	foreignContact  = 999 // set by somebody else
)

// command is a command of the CLI, or a way to use it.
type command struct {
	name     string
	title    string // of the section in the guide
	text     string // its introduction
	args     func(kind latchKind) []string
	isCreate bool   // the state does not have the resource
	contact  int64  // of the subject in the configuration
	label    string // of the resource in the configuration; "" is "test"
	blocks   func(kind latchKind) []string
	state    string // the prepared state; "" is that of isCreate
	savedBy  string // the prepared plan; "" is none

	isDestroy     bool // it removes all resources
	isReadOnly    bool // it changes no latch
	isReplacement bool // it removes the latch and makes it again
	isUnordered   bool // its warnings depend on the order in which the CLI plans two resources
	skip          func(c *acctest.Workspace)
}

// commandTable has the commands, in the order of the guide.
var commandTable = []command{
	{
		name: "create", title: "Create a latch",
		text: "`terraform apply` after the resource was added to the configuration.",
		args: fixed(applyJSON...), isCreate: true, contact: priorContact,
	},
	{
		name: "update", title: "Change a latch",
		text: "`terraform apply` after the contact was changed in the configuration.",
		args: fixed(applyJSON...), contact: declaredContact,
	},
	{
		name: "replace", title: "Replace a resource",
		text: "`terraform apply -replace=ADDRESS`, with the latch declared as in the state.",
		args: replaceArgs, contact: priorContact, isReplacement: true,
	},
	{
		name: "rename with a moved block", title: "Rename a resource with a moved block",
		text: "`terraform apply` after the resource got another name and a `moved` block.",
		args: fixed(applyJSON...), contact: priorContact, label: "renamed", blocks: movedBlocks,
		skip: func(c *acctest.Workspace) { c.SkipBelow(1, 1, "moved blocks") },
	},
	{
		name: "rename without a moved block", title: "Rename a resource without a moved block",
		text: "`terraform apply` after the resource got another name. Terraform destroys the old resource and creates the\n" +
			"new one. The warnings depend on which of them it plans first, so the table leaves them out.",
		args: fixed(applyJSON...), contact: priorContact, label: "renamed",
		isReplacement: true, isUnordered: true,
	},
	{
		name: "taint", title: "Taint a resource",
		text: "`terraform taint ADDRESS`, then `terraform apply`.",
		args: fixed(applyJSON...), contact: priorContact, state: "tainted", isReplacement: true,
	},
	{
		name: "destroy", title: "Destroy",
		text: "`terraform destroy`. A latch that was changed outside of Terraform is in the state once it is read, so the\n" +
			"destroy removes it.",
		args: fixed("destroy", "-json", "-auto-approve"), contact: priorContact, isDestroy: true,
	},
	{
		name: "import", title: "Import",
		text: "`terraform import ADDRESS CUSTOMER_ID`.",
		args: importArgs, contact: priorContact, isCreate: true, isReadOnly: true,
	},
	{
		name: "-target", title: "Apply a part with -target",
		text: "`terraform apply -target=ADDRESS` after the contact was changed in the configuration. A change of another\n" +
			"resource stays for the next apply.",
		args: targetArgs, contact: declaredContact,
	},
	{
		name: "-refresh-only", title: "Update the state with -refresh-only",
		text: "`terraform apply -refresh-only`, with the latch declared as in the state.",
		args: fixed(append(slices.Clone(applyJSON), "-refresh-only")...), contact: priorContact, isReadOnly: true,
	},
	{
		name: "saved plan of an update", title: "Apply a saved plan of a change",
		text: "`terraform apply tfplan`. The situation arises after the plan was made.",
		args: fixed("apply", "-json", planFile), contact: declaredContact, savedBy: "update",
	},
	{
		name: "saved plan of a destroy", title: "Apply a saved plan of a destroy",
		text: "`terraform apply tfplan`, with a plan by `terraform plan -destroy`. The situation arises after the plan\n" +
			"was made.",
		args: fixed("apply", "-json", planFile), contact: priorContact, savedBy: "destroy",
		isDestroy: true,
	},
}

var applyJSON = []string{"apply", "-json", "-auto-approve"}

const (
	planFile  = "tfplan"
	stateFile = "terraform.tfstate"
)

func fixed(args ...string) func(latchKind) []string { return func(latchKind) []string { return args } }

func replaceArgs(kind latchKind) []string {
	return append(slices.Clone(applyJSON), "-replace="+kind.address("test"))
}

func targetArgs(kind latchKind) []string {
	return append(slices.Clone(applyJSON), "-target="+kind.address("test"))
}

func importArgs(kind latchKind) []string {
	id := strconv.Itoa(subject)
	if kind == latchSet {
		id += "," + strconv.Itoa(sibling)
	}
	return []string{"import", "-no-color", kind.address("test"), id}
}

func movedBlocks(kind latchKind) []string {
	return []string{acctest.Block("moved", "from = "+kind.address("test"), "to = "+kind.address("renamed"))}
}

// latchKind is a type of resource.
type latchKind string

const (
	singleLatch latchKind = "single latch"
	latchSet    latchKind = "latch set"
)

var latchKinds = []latchKind{singleLatch, latchSet}

func (k latchKind) address(label string) string {
	if k == latchSet {
		return acctest.LatchesType + "." + label
	}
	return acctest.LatchType + "." + label
}

// managed are the customers of the resource.
func (k latchKind) managed() []int64 {
	if k == latchSet {
		return []int64{subject, sibling}
	}
	return []int64{subject}
}

// blocks declare the resource with a contact of the subject, unless that is 0, and the neighbour.
func (k latchKind) blocks(label string, contact, neighbourContact int64) []string {
	next := acctest.Customer{ID: neighbour, Contact: neighbourContact}
	if k == latchSet {
		declared := []string{acctest.LatchSet{next}.BlockOf("neighbour")}
		if contact != 0 {
			rows := acctest.LatchSet{{ID: subject, Contact: contact}, {ID: sibling, Contact: contactOf(sibling)}}
			declared = append(declared, rows.BlockOf(label))
		}
		return declared
	}
	declared := []string{named(next, "neighbour")}
	if contact != 0 {
		declared = append(declared, named(acctest.Customer{ID: subject, Contact: contact}, label))
	}
	return declared
}

// named declares a single latch of another name than "test".
func named(h acctest.Customer, name string) string {
	return strings.Replace(h.Block(), `"test"`, strconv.Quote(name), 1)
}

// contactOf is the contact of a customer in the state.
func contactOf(customer int64) int64 {
	if customer == subject {
		return priorContact
	}
	return 100 + customer
}

// situation is how the account differs from the state.
type situation struct {
	name                 string
	title, meaning, next string // in the guide
	group                string // the title of situations that share a row where their outcomes are the same
	// change makes the difference.
	change func(a acctest.Account, c command)
	// other returns the customers of the account that the run uses in place of the right one.
	other       func() []acctest.Customer
	isWrongPath bool
	// applies reports whether the situation differs from the first one; nil stands for yes.
	applies func(c command) bool
}

// situationTable has the situations, in the order of the guide.
var situationTable = []situation{
	{
		name: "as in the state", title: "as in the state",
		meaning: "Nobody has changed the latch outside of Terraform.",
		next:    "None.",
	},
	{
		name: "already as declared", title: "already as declared",
		meaning: "Somebody has latched the customer as it is declared, or has unlatched it where it is destroyed.",
		next:    "None.",
		change:  func(a acctest.Account, c command) { a.SetLatch(subject, c.wanted(), 0) },
		applies: func(c command) bool { return c.wanted() != c.prior() },
	},
	{
		name: "latched otherwise", title: "latched otherwise",
		meaning: "Somebody has latched the customer to another contact.",
		next:    "Compare both in HubSpot. Then apply, or declare the current contact, see [Daily work](daily-work.md).",
		change:  func(a acctest.Account, _ command) { a.SetLatch(subject, foreignContact, 0) },
	},
	{
		name: "held by another customer", title: "held by another customer",
		meaning: "The contact is latched to another customer, which no resource manages.",
		next:    "Unlatch that customer, or set `allow_reassociation`, see [Move latches](moving.md).",
		change: func(a acctest.Account, c command) {
			if c.prior() == c.contact {
				a.SetLatch(subject, 0, 0)
			}
			a.SetLatch(newHolder, c.contact, 0)
		},
	},
	{
		name: "customer deleted", title: "customer deleted",
		meaning: "The customer no longer exists in the account.",
		next:    "Remove its latch from the configuration, see [Daily work](daily-work.md).",
		change:  func(a acctest.Account, _ command) { a.DeleteCustomer(subject) },
	},
	{
		name: "other account, other customers", title: "another account without these customers", group: anotherAccount,
		meaning: "The API key opens another account, or `base_url` is that of another environment.",
		next:    "Set the key and `base_url` of the right account, see [Authentication](../index.md#authentication).",
		other:   func() []acctest.Customer { return []acctest.Customer{{ID: 31, Contact: 131}} },
	},
	{
		name: "other account, same IDs, not latched", title: "another account with the same IDs, not latched",
		group:   anotherAccount,
		meaning: "The same, and its customers have the IDs of those in the state.",
		next:    "The same.",
		other:   func() []acctest.Customer { return customersWith(0, 0) },
	},
	{
		name: "other account, same IDs, latched alike", title: "another account with the same IDs, latched as in the state",
		group:   anotherAccount,
		meaning: "The same, and its latches are those of the state.",
		next:    "The same.",
		other:   func() []acctest.Customer { return customersWith(priorContact, contactOf(sibling)) },
	},
	{
		name: "wrong path in base_url", title: "wrong path",
		meaning:     "`base_url` lacks the version of the API, `/v1`.",
		next:        "Correct `base_url`, see [Authentication](../index.md#authentication).",
		isWrongPath: true,
	},
}

// anotherAccount groups the situations with another account.
const anotherAccount = "another account"

// isOutside reports whether the run does not reach the account of the state.
func (s situation) isOutside() bool { return s.other != nil || s.isWrongPath }

// wanted is the contact of the subject after the command; 0 is none.
func (c command) wanted() int64 {
	if c.isDestroy {
		return 0
	}
	return c.contact
}

// removes reports whether the command destroys an object of the state. A latch that the state did
// not show stays, with a warning.
func (c command) removes() bool { return c.isDestroy || c.isReplacement }

// prior is the contact of the subject in the state; 0 is none.
func (c command) prior() int64 {
	if c.isCreate {
		return 0
	}
	return priorContact
}

// customersWith are the customers of an account, of which the subject and its sibling have these
// contacts.
func customersWith(contact, siblingContact int64) []acctest.Customer {
	return []acctest.Customer{
		{ID: subject, Contact: contact}, {ID: newHolder}, {ID: neighbour, Contact: contactOf(neighbour)},
		{ID: sibling, Contact: siblingContact}, {ID: bystander, Contact: 121, Company: 221},
	}
}
