package controllers

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/table"
)

// maxCompiledBytes bounds the contents of a compiled Secret. An API server takes 1 MiB with metadata and base64 left out; the
// margin is for entry names, for the key ring (24 KiB at most) and for what a later version adds.
const maxCompiledBytes = 960 << 10

// maxLargest is how many credentials are named where all do not fit.
const maxLargest = 3

// compilation is what the compiler found out about all objects at one moment. It is immutable.
type compilation struct {
	verdicts  map[table.ObjectRef]verdict
	instances map[types.NamespacedName]instanceVerdict
}

// sight is which content of an object a compilation speaks of.
type sight struct {
	uid   types.UID
	token string
}

// verdict is what was found out about a route, key or credential.
type verdict struct {
	seen sight
	// findings, of all serving instances: where they differ, the worst.
	findings table.Findings
	// instances that serve a route, ordered by namespace and name.
	instances []types.NamespacedName
	// model is the public name of a route; usable and all count its targets.
	model       string
	usable, all int
	// active are the names of targets that get requests, in order.
	active []string
	// endpoint of a credential that is in force.
	endpoint string
}

// instanceVerdict is what was found out about an instance.
type instanceVerdict struct {
	seen sight
	// routes and keys that it serves.
	routes, keys int32
	// problem says why it cannot serve what its spec says.
	problem *table.Problem
	// redisProblem says why its Redis cannot be used.
	redisProblem *table.Problem
	// entries of the compiled Secret, without the key ring, and their digest; nil with secretProblem.
	entries       map[string][]byte
	digest        string
	secretProblem *table.Problem
	// egress are the ports that its credentials lead to.
	egress []render.Egress
}

// compilations publishes the current compilation. Before the first one there is none. It is safe for concurrent use.
type compilations struct{ current atomic.Pointer[compilation] }

// verdict returns what is known of an object, if the current compilation has seen this content of it.
func (c *compilations) verdict(ref table.ObjectRef, seen sight) (verdict, bool) {
	current := c.current.Load()
	if current == nil {
		return verdict{}, false
	}
	v, ok := current.verdicts[ref]
	return v, ok && v.seen == seen
}

// instance returns what is known of an instance, whatever generation was seen.
func (c *compilations) instance(name types.NamespacedName) (instanceVerdict, bool) {
	current := c.current.Load()
	if current == nil {
		return instanceVerdict{}, false
	}
	v, ok := current.instances[name]
	return v, ok
}

// sightOf is the content of an object that a compilation depends on.
func sightOf(obj v1alpha1Object) sight { return sight{uid: obj.GetUID(), token: tokenOf(obj)} }

// v1alpha1Object is an object of ours.
type v1alpha1Object interface {
	GetUID() types.UID
	GetGeneration() int64
	GetNamespace() string
	GetName() string
}

// tokenOf stands for the content of an object. Of a key that is also what its status publishes, because the gateway reads it
// there.
func tokenOf(obj v1alpha1Object) string {
	generation := strconv.FormatInt(obj.GetGeneration(), 10)
	ak, ok := obj.(*v1alpha1.ApiKey)
	if !ok {
		return generation
	}
	return generation + "/" + publishedToken(&ak.Status)
}

// publishedToken stands for what a key's status publishes to gateways.
func publishedToken(status *v1alpha1.ApiKeyStatus) string {
	var b strings.Builder
	if g := status.Gateway; g != nil {
		fmt.Fprintf(&b, "%s/%s", g.Namespace, g.Name)
	}
	for _, h := range status.Hashes {
		b.WriteByte(' ')
		b.WriteString(h.SHA256)
		if h.NotAfter != nil {
			b.WriteByte('@')
			b.WriteString(strconv.FormatInt(h.NotAfter.Unix(), 10))
		}
	}
	return b.String()
}

// changed returns the objects whose verdict differs from that of an older compilation (nil: all), gone ones left out.
func (c *compilation) changed(old *compilation) []table.ObjectRef {
	if old == nil {
		old = &compilation{}
	}
	var refs []table.ObjectRef
	for ref, v := range c.verdicts {
		if before, ok := old.verdicts[ref]; !ok || !reflect.DeepEqual(before, v) {
			refs = append(refs, ref)
		}
	}
	for name, v := range c.instances {
		if before, ok := old.instances[name]; !ok || !before.equal(v) {
			refs = append(refs, instanceRef(name))
		}
	}
	return refs
}

// equal compares verdicts; the digest stands for the entries.
func (v instanceVerdict) equal(o instanceVerdict) bool {
	v.entries, o.entries = nil, nil
	return reflect.DeepEqual(v, o)
}

// instanceRef names an instance.
func instanceRef(name types.NamespacedName) table.ObjectRef {
	return table.ObjectRef{Kind: v1alpha1.KindGatewayInstance, Namespace: name.Namespace, Name: name.Name}
}

// refOf names an object of ours.
func refOf(kind string, obj v1alpha1Object) table.ObjectRef {
	return table.ObjectRef{Kind: kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// merge adds the findings of another instance: one for each condition, the worst one. Where instances agree, nothing tells
// them apart.
func merge(a, b table.Findings) table.Findings {
	out := slices.Clone(a)
	for _, f := range b {
		i := slices.IndexFunc(out, func(o table.Finding) bool { return o.Type == f.Type })
		switch {
		case i < 0:
			out = append(out, f)
		case lostName(out[i]) != lostName(f):
			out[i] = servedElsewhere(out[i], f)
		case badness(f) > badness(out[i]):
			out[i] = f
		}
	}
	return out
}

// lostName says whether an instance refuses a route its name.
func lostName(f table.Finding) bool {
	return f.Type == v1alpha1.ConditionAccepted && !f.Status && f.Reason == v1alpha1.ReasonNameTaken
}

// servedElsewhere is the finding of a route that one instance refuses its name and another does not. The status must not say
// NameTaken then: a refusal that stands in the status is kept, and would take the route from the instance that serves it.
func servedElsewhere(a, b table.Finding) table.Finding {
	refused, other := a, b
	if lostName(b) {
		refused, other = b, a
	}
	if other.Status {
		other.Reason = v1alpha1.ReasonPartiallyAccepted
		other.Message = "one instance serves this route; another does not: " + refused.Message
	}
	return other
}

// badness orders findings: holding, info, degraded, missing, invalid.
func badness(f table.Finding) int {
	if f.Status {
		return 0
	}
	return 1 + slices.Index([]table.Severity{table.Info, table.Degraded, table.Missing, table.Invalid}, f.Severity)
}

// compiledEntries encodes the credentials of an instance and what its Redis asks for (nil: it has none), or says why they do not fit.
func compiledEntries(credentials []table.CompiledCredential, redis *table.RedisState) (map[string][]byte, string, *table.Problem) {
	entries, err := table.EncodeCredentials(credentials)
	if err != nil {
		return nil, "", &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonInvalid,
			Message: "the credentials of this instance cannot be encoded: " + err.Error()}
	}
	if redis != nil {
		if entries[table.CompiledRedisEntry], err = table.EncodeRedis(*redis); err != nil {
			return nil, "", &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonInvalid,
				Message: "what the Redis of this instance asks for cannot be encoded: " + err.Error()}
		}
	}
	size := 0
	for name, value := range entries {
		size += len(name) + len(value)
	}
	if size > maxCompiledBytes {
		return nil, "", &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonSecretTooLarge,
			Message: fmt.Sprintf("the %d credentials that the routes of this instance use make %d bytes, more than the %d that a "+
				"Secret holds, the largest being %s; the last version that fitted stays in use; use fewer credentials or smaller CA "+
				"bundles, or split the routes over two instances", len(credentials), size, maxCompiledBytes, largest(credentials))}
	}
	return entries, digestOf(entries), nil
}

// largest names the credentials that take most, for people.
func largest(credentials []table.CompiledCredential) string {
	type share struct {
		name string
		size int
	}
	shares := make([]share, 0, len(credentials))
	for _, c := range credentials {
		s := share{name: client.ObjectKeyFromObject(c.Credential).String()}
		if entries, err := table.EncodeCredentials([]table.CompiledCredential{c}); err == nil {
			for _, value := range entries {
				s.size += len(value)
			}
		}
		shares = append(shares, s)
	}
	slices.SortFunc(shares, func(a, b share) int {
		return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(a.name, b.name))
	})
	var words []string
	for _, s := range shares[:min(len(shares), maxLargest)] {
		words = append(words, fmt.Sprintf("%s (%d bytes)", s.name, s.size))
	}
	return strings.Join(words, ", ")
}

// digestOf stands for the contents of a Secret.
func digestOf(entries map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		fmt.Fprintf(h, "%d:%s%d:", len(name), name, len(entries[name]))
		h.Write(entries[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// routesOf returns the routes that an instance serves.
func (c *compilations) routesOf(instance types.NamespacedName) []table.ObjectRef {
	current := c.current.Load()
	if current == nil {
		return nil
	}
	var refs []table.ObjectRef
	for ref, v := range current.verdicts {
		if slices.Contains(v.instances, instance) {
			refs = append(refs, ref)
		}
	}
	return refs
}
