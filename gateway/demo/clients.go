package demo

import (
	"container/list"
	"sync"
	"time"
)

// remembered is how long a client counts after its last request.
const remembered = time.Minute

// Clients are those that were there within the last minute. Its memory is bounded by the number that Enter is given. The zero value is
// empty and ready for use; it is safe for concurrent use.
type Clients struct {
	mu sync.Mutex
	// places are by client, the one that was longest not there at the front of order.
	places map[string]*list.Element
	order  list.List
}

// place is a client and when it was last there.
type place struct {
	client string
	at     time.Time
}

// Enter notes that a client is there, and says whether there is room for it: it was there within the last minute, or fewer than most
// were. If there is none, wait is when the next place becomes free.
func (c *Clients) Enter(client string, most int, now time.Time) (wait time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(now)
	if e := c.places[client]; e != nil {
		e.Value.(*place).at = now //nolint:forcetypeassert // nothing else is put into it
		c.order.MoveToBack(e)
		return 0, true
	}
	if len(c.places) >= most {
		return c.front().at.Add(remembered).Sub(now), false
	}
	if c.places == nil {
		c.places = map[string]*list.Element{}
	}
	c.places[client] = c.order.PushBack(&place{client: client, at: now})
	return 0, true
}

// Len returns the number of clients that were there within the last minute.
func (c *Clients) Len(now time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(now)
	return len(c.places)
}

// forget frees the places of those that were not there for long enough.
func (c *Clients) forget(now time.Time) {
	for p := c.front(); p != nil && now.Sub(p.at) >= remembered; p = c.front() {
		delete(c.places, p.client)
		c.order.Remove(c.order.Front())
	}
}

// front is the client that was longest not there; nil without any.
func (c *Clients) front() *place {
	e := c.order.Front()
	if e == nil {
		return nil
	}
	return e.Value.(*place) //nolint:forcetypeassert // nothing else is put into it
}
