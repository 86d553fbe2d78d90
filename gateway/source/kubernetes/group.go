package kubernetes

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

const (
	// everywhere is the scope of a watch of all namespaces.
	everywhere = ""

	// lagTolerance is how long a watch may be behind the others of its group before it is started again, and nudgeInterval
	// how long at least it is then left alone. Both only matter in namespaced mode.
	lagTolerance  = time.Second
	nudgeInterval = 5 * time.Second
)

// part is what one watch of a group has delivered.
type part struct {
	namespace string // everywhere, or the one that is watched
	items     map[types.NamespacedName]any
	version   string
	synced    bool      // the first list has come
	nudged    time.Time // when the watch was last started again because it was behind
	behind    time.Time // since when it is behind others; zero: it is not
}

// group is the watches of one kind that cover a scope together: one of everything, or one for each namespace.
type group struct {
	scope []string
	parts map[*watcher]*part
	// equal says whether two values of an object mean the same, such as routes that differ in their status only.
	equal func(a, b any) bool
}

// apply takes a change and returns the objects that now mean something else. Known is false if the change comes from a
// watch of another group, or from one that was stopped.
func (g *group) apply(c change) (changed []types.NamespacedName, known bool) {
	if g == nil || g.parts[c.from] == nil {
		return nil, false
	}
	p := g.parts[c.from]
	switch c.op {
	case opList:
		changed = g.replace(p, c.items)
		p.synced = true
	case opPut:
		changed = g.put(p, c.items, nil)
	case opRemove:
		for _, it := range c.items {
			if _, had := p.items[it.id]; had {
				delete(p.items, it.id)
				changed = append(changed, it.id)
			}
		}
	case opVersion:
	}
	p.version = newer(p.version, c.version)
	return changed, true
}

// put stores items and appends those that changed. An object that is none of our business is not kept.
func (g *group) put(p *part, items []item, changed []types.NamespacedName) []types.NamespacedName {
	for _, it := range items {
		old, had := p.items[it.id]
		switch {
		case it.value == nil && !had, it.value != nil && had && g.equal(old, it.value):
			continue
		case it.value == nil:
			delete(p.items, it.id)
		default:
			p.items[it.id] = it.value
		}
		changed = append(changed, it.id)
	}
	return changed
}

// replace takes a whole list: what is not on it is gone.
func (g *group) replace(p *part, items []item) []types.NamespacedName {
	listed := make(map[types.NamespacedName]struct{}, len(items))
	for _, it := range items {
		listed[it.id] = struct{}{}
	}
	changed := make([]types.NamespacedName, 0, len(items))
	for id := range p.items {
		if _, still := listed[id]; !still {
			delete(p.items, id)
			changed = append(changed, id)
		}
	}
	return g.put(p, items, changed)
}

// get returns what is kept of an object, nil if there is nothing.
func (g *group) get(id types.NamespacedName) any {
	for _, p := range g.parts {
		if value, ok := p.items[id]; ok {
			return value
		}
	}
	return nil
}

// each calls f for everything that is kept, in no order.
func (g *group) each(f func(id types.NamespacedName, value any)) {
	if g == nil {
		return
	}
	for _, p := range g.parts {
		for id, value := range p.items {
			f(id, value)
		}
	}
}

// len is the number of objects that are kept.
func (g *group) len() int {
	n := 0
	for _, p := range g.parts {
		n += len(p.items)
	}
	return n
}

// synced says whether every watch has delivered its first list.
func (g *group) synced() bool {
	if g == nil {
		return false
	}
	for _, p := range g.parts {
		if !p.synced {
			return false
		}
	}
	return true
}

// version is how far the watch that is furthest behind has come; empty as long as one has not begun.
func (g *group) version() string {
	lowest, first := "", true
	for _, p := range g.parts {
		if first || newer(p.version, lowest) == lowest {
			lowest, first = p.version, false
		}
	}
	return lowest
}

// laggards returns the watches that have been behind the others for a while and were not started again lately. A quiet
// namespace says how far it is only about once a minute, while what waits for a version wants to know now.
func (g *group) laggards(now time.Time) []*watcher {
	if g == nil || len(g.parts) < 2 {
		return nil
	}
	highest := ""
	for _, p := range g.parts {
		highest = newer(highest, p.version)
	}
	var late []*watcher
	for w, p := range g.parts {
		switch {
		case p.version == highest || !p.synced:
			p.behind = time.Time{}
		case p.behind.IsZero():
			p.behind = now
		case now.Sub(p.behind) >= lagTolerance && now.Sub(p.nudged) >= nudgeInterval:
			late = append(late, w)
		}
	}
	return late
}

// lagging says whether a later look at laggards may find some.
func (g *group) lagging() bool {
	if g == nil || len(g.parts) < 2 {
		return false
	}
	version := g.version()
	for _, p := range g.parts {
		if p.version != version {
			return true
		}
	}
	return false
}

// swap puts a watch in the place of another, which keeps what was delivered until its own list has come.
func (g *group) swap(old, fresh *watcher, now time.Time) {
	p := g.parts[old]
	delete(g.parts, old)
	p.nudged, p.behind = now, time.Time{}
	g.parts[fresh] = p
}

// covers says whether the group is for a scope.
func (g *group) covers(scope []string) bool { return g != nil && slices.Equal(g.scope, scope) }

// newer returns the later one of two resource versions; empty is before everything. Versions that are no numbers, which no
// supported API server gives, count as later when they come later.
func newer(old, candidate string) string {
	if old == "" || candidate == "" {
		return old + candidate
	}
	if order, err := resourceversion.CompareResourceVersion(candidate, old); err == nil && order < 0 {
		return old
	}
	return candidate
}
