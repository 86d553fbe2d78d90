package table

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// heldBefore tells people why a name that nobody holds is not given to them.
const heldBefore = "the name %q was held by another route when this one was made; change the spec of this route or recreate it to claim the name"

// NameTenure is how long a public name that the platform's own namespace gave up is kept from other namespaces: long enough to
// delete and recreate a route, by hand or by a tool. The operator and the gateways must agree on it.
const NameTenure = 10 * time.Minute

// claimNames gives each public name to one route. A route that is broken otherwise keeps its name: a mistake in an edit must
// not send its prompts to somebody else's upstream.
func (b *build) claimNames() {
	order := slices.Clone(b.candidates)
	slices.SortStableFunc(order, b.comparePrecedence)
	claimants := claimsOf(order)
	models := b.awardModels(order, claimants)
	b.awardAliases(order, models, claimants)
}

// comparePrecedence orders those who claim a name: the platform's own routes, then the oldest, then by namespace and name.
func (b *build) comparePrecedence(a, c *candidate) int {
	if a.own != c.own {
		if a.own {
			return -1
		}
		return 1
	}
	if b.in.NoCreationTimes {
		return 0
	}
	return cmp.Compare(a.route.Created, c.route.Created)
}

// claimsOf returns for each name all who claim it as model or alias.
func claimsOf(order []*candidate) map[string][]*candidate {
	claims := make(map[string][]*candidate, len(order))
	for _, c := range order {
		claims[c.route.Model] = append(claims[c.route.Model], c)
		for _, alias := range aliasesOf(c) {
			claims[alias] = append(claims[alias], c)
		}
	}
	return claims
}

// aliasesOf returns the aliases that a route claims, each once and never its model.
func aliasesOf(c *candidate) []string {
	var aliases []string
	for _, a := range c.object.Spec.Aliases {
		if alias := string(a); alias != "" && alias != c.route.Model && !slices.Contains(aliases, alias) {
			aliases = append(aliases, alias)
		}
	}
	return aliases
}

// awardModels gives out the names that routes bear, and rejects the routes that lose theirs. A model beats an alias, but a tenant's
// model does not beat an alias of the platform's: it would take over prompts that are meant for the platform.
func (b *build) awardModels(order []*candidate, claimants map[string][]*candidate) map[string]*candidate {
	models := make(map[string]*candidate, len(order))
	platform := map[string]*candidate{}
	for _, c := range order { // the platform's own come first
		name := c.route.Model
		if models[name] != nil || (platform[name] != nil && !c.own) || b.withheld(c, name) {
			continue
		}
		models[name] = c
		b.table.holders[name] = c.object.Namespace
		reserve(platform, c)
	}
	for _, c := range order {
		name := c.route.Model
		if winner := models[name]; winner != c {
			if winner == nil && !c.own {
				winner = platform[name]
			}
			c.reject(nameTaken(b.lost(c, name, winner, claimants)))
		} else if b.in.NoCreationTimes && len(claimants[name]) > 1 {
			c.accepted = append(c.accepted, nameTaken(b.lost(c, name, nil, claimants)))
		}
	}
	return models
}

// reserve keeps the aliases of the platform's routes from the models of tenants.
func reserve(platform map[string]*candidate, c *candidate) {
	if !c.own {
		return
	}
	for _, alias := range aliasesOf(c) {
		if platform[alias] == nil {
			platform[alias] = c
		}
	}
}

// awardAliases gives out further names to the routes that have their own. No alias is given that is some route's model.
func (b *build) awardAliases(order []*candidate, models map[string]*candidate, claimants map[string][]*candidate) {
	aliases := map[string]*candidate{}
	for _, c := range order {
		if models[c.route.Model] != c {
			continue
		}
		for _, alias := range aliasesOf(c) {
			winner := cmp.Or(models[alias], aliases[alias])
			if won := winner == nil && !b.withheld(c, alias); won {
				aliases[alias] = c
				b.table.holders[alias] = c.object.Namespace
				c.route.Aliases = append(c.route.Aliases, alias)
			} else if !b.in.NoCreationTimes {
				c.lostAliases = append(c.lostAliases, "alias lost: "+b.lost(c, alias, winner, claimants))
			}
			if b.in.NoCreationTimes && len(claimants[alias]) > 1 {
				c.accepted = append(c.accepted, nameTaken(b.lost(c, alias, nil, claimants)))
			}
		}
		slices.Sort(c.route.Aliases)
	}
}

// withheld says that a name must not go to a route although nobody holds it: whoever waits beside the holder of a name would
// otherwise get its prompts in the moment between deleting and recreating it. The platform's own namespace is above that.
func (b *build) withheld(c *candidate, name string) bool {
	if c.own || b.in.NoCreationTimes {
		return false
	}
	if holder, held := b.in.Held[name]; held && holder != c.object.Namespace {
		return true
	}
	return name == c.route.Model && lostBefore(c.object)
}

// lostBefore says that this generation of a route was refused its name.
func lostBefore(route *v1alpha1.ModelRoute) bool {
	accepted := meta.FindStatusCondition(route.Status.Conditions, v1alpha1.ConditionAccepted)
	return accepted != nil && accepted.Status == metav1.ConditionFalse && accepted.Reason == v1alpha1.ReasonNameTaken &&
		accepted.ObservedGeneration == route.Generation
}

// lost says why a route does not have a name. A nil winner means that nobody has it, or without creation times that the route
// itself has it for now.
func (b *build) lost(c *candidate, name string, winner *candidate, claimants map[string][]*candidate) string {
	switch {
	case b.in.NoCreationTimes:
		return fmt.Sprintf("the name %q is also claimed by %s; only one of them can have it", name, others(claimants[name], c))
	case winner == nil:
		return fmt.Sprintf(heldBefore, name)
	}
	return fmt.Sprintf("the name %q is held by %s; choose another name", name, winner.ref)
}

// others names the claimants of a name but one.
func others(claimants []*candidate, but *candidate) string {
	var names []string
	for _, c := range claimants {
		if c != but {
			names = append(names, c.ref.String())
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// nameTaken is the problem of a route that does not have a name it wants.
func nameTaken(message string) *Problem {
	return &Problem{Severity: Invalid, Reason: v1alpha1.ReasonNameTaken, Message: message}
}
