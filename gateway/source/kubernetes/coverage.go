package kubernetes

// coverage is the group of watches in use, and the one that will take its place once it has delivered its first lists. Until
// then the old one stays, so that a change of scope never empties anything.
type coverage struct{ current, next *group }

// want makes a coverage go for a scope.
func (o *owner) want(c *coverage, k kind, scope []string) {
	switch {
	case c.next.covers(scope):
		return
	case c.current.covers(scope):
		o.shutGroup(c.next)
		c.next = nil
	default:
		o.shutGroup(c.next)
		c.next = o.openGroup(k, scope)
	}
}

// settle puts the next group in use if it is complete. Switched says that it did.
func (o *owner) settle(c *coverage) (switched bool) {
	if !c.next.synced() {
		return false
	}
	o.shutGroup(c.current)
	c.current, c.next = c.next, nil
	return true
}

// complete says whether what is wanted is in use.
func (c *coverage) complete() bool { return c.next == nil && c.current.synced() }
