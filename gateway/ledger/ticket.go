package ledger

import (
	"cmp"
	"encoding/base64"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// MaxTicket is how long a ticket may be, in bytes.
const MaxTicket = 2 << 10

// ticket is what is needed to find out how a job ended, and when that is to be done, in seconds since 1970.
type ticket struct {
	deadline int64
	text     string
}

// newTicket returns that of an event, an empty one if it has none that can be kept.
func newTicket(e *JobEntry) ticket {
	if e.State != JobReserved || !plain(e.Ticket, MaxTicket) {
		return ticket{}
	}
	return ticket{deadline: secondOf(e.Deadline), text: e.Ticket}
}

// compare puts tickets of one job in an order of which the highest wins, so that the order in which they arrive never matters.
func (t ticket) compare(o ticket) int {
	return cmp.Or(cmp.Compare(t.deadline, o.deadline), strings.Compare(t.text, o.text))
}

// hold keeps a ticket of a job if that is running, and says whether that changed anything.
func (r *record) hold(h hash, t ticket) bool {
	j := r.set[h]
	if t.text == "" || j == nil || j.state != reserved || r.tickets[h].compare(t) >= 0 {
		return false
	}
	if r.tickets == nil {
		r.tickets = map[hash]ticket{}
	}
	t.text = strings.Clone(t.text) // it outlives the page
	r.tickets[h] = t
	return true
}

// due says when to ask about a job, in the order in which that is done.
type due struct {
	deadline int64
	hash     hash
}

// compare puts the one that is to be asked about first first.
func (d due) compare(o due) int {
	return cmp.Or(cmp.Compare(d.deadline, o.deadline), d.hash.compare(o.hash))
}

// ticketFrame is what a ticket needs beside its text, at most: a deadline, a name in base64, and what is between them.
const ticketFrame = 19 + 22 + len(`,["",,""]`)

// lastTicket returns the last ticket for which there is room in a page, and how many bytes they come to at most.
func (s *sheet) lastTicket() (last due, size int) {
	type sized struct {
		due
		size int
	}
	var all []sized
	for _, r := range s.keys {
		for h, t := range r.tickets {
			all = append(all, sized{due{t.deadline, h}, ticketFrame + len(t.text)})
		}
		if len(r.tickets) > 0 {
			size += len(`,"tickets":[]`)
		}
	}
	slices.SortFunc(all, func(a, b sized) int { return a.compare(b.due) })
	for _, t := range all {
		if size+t.size > MaxTicketBytes {
			break
		}
		size += t.size
		last = t.due
	}
	return last, size
}

// appendTickets writes [name, deadline, text] of each ticket up to a last one, by name; nothing if there are none.
func appendTickets(to []byte, tickets map[hash]ticket, last due) []byte {
	n := 0
	for _, h := range slices.SortedFunc(maps.Keys(tickets), hash.compare) {
		t := tickets[h]
		if (due{t.deadline, h}).compare(last) > 0 {
			continue
		}
		if n == 0 {
			to = append(to, `,"tickets":[`...)
		}
		to = append(comma(to, n), `["`...)
		to = base64.RawStdEncoding.AppendEncode(to, h[:])
		to = member(to, `",`, t.deadline)
		to = append(quoted(append(to, ','), t.text), ']')
		n++
	}
	if n > 0 {
		to = append(to, ']')
	}
	return to
}

// tickets reads tickets, of which there is at least one.
func (s *scanner) tickets() map[hash]ticket {
	all := map[hash]ticket{}
	var last hash
	s.list(']', func() {
		s.literal("[")
		name, err := base64.RawStdEncoding.Strict().DecodeString(s.name(2 * hashSize))
		if err != nil || len(name) != hashSize {
			s.fail()
			return
		}
		h := hash(name)
		t := ticket{deadline: s.member(",", math.MaxInt64)}
		s.literal(",")
		t.text = s.name(MaxTicket)
		s.literal("]")
		if t.text == "" || (len(all) > 0 && h.compare(last) <= 0) {
			s.fail()
		}
		last, all[h] = h, t
	})
	if len(all) == 0 {
		s.fail()
	}
	return all
}

// Overdue returns the jobs that this replica holds tickets of, whose deadline has passed and of which it does not know how they ended,
// by deadline.
func (b *Book) Overdue(at time.Time) []JobEntry {
	var overdue []JobEntry
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock()
		for key, r := range s.sheet.keys {
			for h, t := range r.tickets {
				if t.deadline <= at.Unix() {
					overdue = append(overdue, t.entry(known{h, r.set[h]}, key))
				}
			}
		}
		s.mu.Unlock()
	}
	return byDeadline(overdue)
}

// Overdue returns the jobs of all keys whose deadline has passed and of which nobody has said how they ended, by deadline. Without a
// ticket the deadline is the end of its hour. Whoever adopts one finds out how it ended, or charges what it reserved.
func (v *View) Overdue(at time.Time) []JobEntry {
	var overdue []JobEntry
	for i := range v.shards {
		overdue = v.shards[i].overdue(overdue, at)
	}
	return byDeadline(overdue)
}

// overdue adds those of one shard.
func (s *viewShard) overdue(to []JobEntry, at time.Time) []JobEntry {
	totals := s.totals.Load()
	if totals == nil {
		return to
	}
	hour := hourBefore(at)
	for key, t := range *totals {
		if !t.open {
			continue
		}
		s.mu.Lock()
		jobs := s.jobs(key)
		for _, k := range jobs {
			if k.state != reserved {
				continue
			}
			t := s.ticket(key, k.hash)
			if t.text != "" && t.deadline <= at.Unix() || t.text == "" && k.deadline <= hour {
				to = append(to, t.entry(k, key))
			}
		}
		s.mu.Unlock()
	}
	return to
}

// ticket returns that of a job, an empty one if nobody has one.
func (s *viewShard) ticket(key string, h hash) ticket {
	var best ticket
	for p := range s.counted {
		if l := p.leaf(key); l != nil {
			if t := l.tickets[h]; best.compare(t) < 0 {
				best = t
			}
		}
	}
	return best
}

// entry is what is known of a job with its ticket, as others say it.
func (t ticket) entry(k known, key string) JobEntry {
	e := k.entry(key)
	if t.text != "" {
		e.Ticket, e.Deadline = t.text, time.Unix(t.deadline, 0).UTC()
	}
	return e
}

// byDeadline sorts jobs by deadline, then by name.
func byDeadline(jobs []JobEntry) []JobEntry {
	slices.SortFunc(jobs, func(a, b JobEntry) int {
		return cmp.Or(a.Deadline.Compare(b.Deadline), cmp.Compare(a.Hash, b.Hash))
	})
	return jobs
}
