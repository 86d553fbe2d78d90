package table

import (
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// Table is what a gateway serves. It is immutable and safe for concurrent use.
type Table struct {
	currency string
	byName   map[string]*Route // public names and aliases
	byObject map[types.NamespacedName]*Route
	routes   []*Route // ordered by model
	keys     []*Key   // ordered by namespace and name; empty in the gateway
	settings Settings
	holders  map[string]string // namespaces by public name and alias
}

// Resolve returns the route of a public name or alias, or nil.
func (t *Table) Resolve(model string) *Route { return t.byName[model] }

// Route returns the route that a ModelRoute became, or nil.
func (t *Table) Route(namespace, name string) *Route {
	return t.byObject[types.NamespacedName{Namespace: namespace, Name: name}]
}

// Routes returns all routes ordered by public name. The slice must not be changed.
func (t *Table) Routes() []*Route { return t.routes }

// Keys returns the keys of the input that this instance accepts. The slice must not be changed.
func (t *Table) Keys() []*Key { return t.keys }

// Currency of all prices.
func (t *Table) Currency() string { return t.currency }

// Holders returns the namespaces that hold public names and aliases, those of routes included that hold their name but cannot
// be served. It is what Input.Held wants of earlier tables. The map must not be changed.
func (t *Table) Holders() map[string]string { return t.holders }

// Equal says whether two tables serve the same, so that one need not replace the other. What is not compared follows from
// what is.
func (t *Table) Equal(o *Table) bool {
	if t == nil || o == nil || t == o {
		return t == o
	}
	return t.currency == o.currency && reflect.DeepEqual(t.settings, o.settings) && maps.Equal(t.holders, o.holders) &&
		reflect.DeepEqual(t.routes, o.routes) && reflect.DeepEqual(t.keys, o.keys)
}

// Route is a public model and the upstreams that serve it. Read only.
type Route struct {
	// Namespace and Name are those of the ModelRoute.
	Namespace, Name string
	// UID of the ModelRoute, empty for files.
	UID string
	// Model is the public name, Aliases the further names that this route won.
	Model   string
	Aliases []string
	// Modality is the kind of work: Chat, Image, Video, Speech or Music.
	Modality string
	// Availability is Live, Preview or Soon.
	Availability string
	// Private hides the route from the public catalog.
	Private bool
	// Created is the creation time in Unix seconds, 0 if unknown.
	Created int64
	// Display is what people see.
	Display Display
	// Pricing is nil for an unpriced route.
	Pricing *Pricing
	// Tiers are the usable targets, by ascending priority, those of weight 0 left out.
	Tiers []Tier
	// AllTargets counts the declared targets, UsableTargets those that can be used (drained ones included).
	AllTargets, UsableTargets int
	// Timeouts are filled in: no zero.
	ResponseTimeout, IdleTimeout, TotalTimeout time.Duration
	// Attempts is the number of further attempts after the first.
	Attempts int
	// RetryOnTimeout says that a timeout is followed by another target.
	RetryOnTimeout bool
	// Fallbacks are routes of the same modality, in order.
	Fallbacks []*Route
	// Affinity is what keeps requests on one target: Conversation, or empty for nothing.
	Affinity string
	// Voices are the public names of a Speech route's voices, as declared.
	Voices []Voice
	// ProxyResults says that the gateway streams the files that jobs make through itself.
	ProxyResults bool

	allowed namespaceSet
}

// AllowsNamespace says whether keys of a namespace may see and use the route.
func (r *Route) AllowsNamespace(namespace string) bool { return r.allowed.has(namespace) }

// Voice returns the voice of a public name. It is false for other names, which may be the vendor's own ids.
func (r *Route) Voice(name string) (Voice, bool) {
	for i := range r.Voices {
		if r.Voices[i].Name == name {
			return r.Voices[i], true
		}
	}
	return Voice{}, false
}

// Voice is a public name for a vendor's voice.
type Voice struct {
	// Name is public, ID the vendor's own.
	Name, ID string
	// Label and Language are for people; empty if not declared.
	Label, Language string
}

// Tier is the targets of one priority.
type Tier struct {
	Priority int
	Targets  []*Target
	// TotalWeight is the sum of the targets' weights, above zero.
	TotalWeight int
}

// Target is one upstream of a route. Read only.
type Target struct {
	// Route and Name identify the target; ID is namespace/route/name.
	Name string
	ID   string
	// Model is the upstream's own id.
	Model string
	// Weight within the tier.
	Weight int
	// Parameters change the request's body.
	Parameters provider.Parameters
	// Credential is shared by all targets that use it.
	Credential *Credential
}

// Credential is an account at a vendor, ready for use. Read only.
type Credential struct {
	// Namespace and Name are those of the ProviderCredential.
	Namespace, Name string
	// Provider names the adapter.
	Provider string
	// Protocol is one of the adapter's Info.Protocols, filled in; empty where there is but one.
	Protocol string
	// Region is the name of the region whose default endpoint is used, filled in; empty where the endpoint is the admin's own.
	Region string
	// Endpoint is the vendor's root without a trailing slash; URL is the same, parsed.
	Endpoint string
	URL      *url.URL
	// AllowPrivate permits private and loopback addresses.
	AllowPrivate bool
	// Header is sent with every request.
	Header http.Header
	// Secrets are the entries of the Secret.
	Secrets map[string]Secret
	// CABundle is PEM; nil for the system's authorities.
	CABundle []byte
	// ServerName is what the certificate must be for; empty for the endpoint's host.
	ServerName string
	// Limits of what is sent with the credential; TokensPerMinute is never set.
	Limits Limits
	// ProxyURL is nil for none; user info is in ProxyUsername and ProxyPassword.
	ProxyURL      *url.URL
	ProxyUsername string
	ProxyPassword Secret
}

// ID returns namespace/name.
func (c *Credential) ID() string { return c.Namespace + "/" + c.Name }

// Display is what people see of a model.
type Display struct {
	Label         string
	Org           string
	ContextWindow int64
	Tags          []string
	Description   string
}
