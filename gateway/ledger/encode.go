package ledger

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

const (
	// formatVersion is the version of the format.
	formatVersion = 1
	// MaxBytes is how large a page may be with its history, which gives way: 256 KiB.
	MaxBytes = 256 << 10
	// MaxMoneyBytes is how large a page may be that has no history left: 1 MiB, of the 1.5 MiB that etcd takes.
	MaxMoneyBytes = 1 << 20
	// MaxTicketBytes is how much tickets of jobs may add to a page: 128 KiB. Those of the jobs that end first are written.
	MaxTicketBytes = 128 << 10
)

// encode returns a page, thinning the history if it is too large.
func (s *sheet) encode() ([]byte, error) {
	last, extra := s.lastTicket()
	data := s.append(make([]byte, 0, s.size), last)
	for _, thin := range [...]func(*sheet, int) bool{(*sheet).thinToWeek, (*sheet).unite, (*sheet).thinToNothing} {
		if excess := len(data) - extra - MaxBytes; excess > 0 && thin(s, excess) {
			data = s.append(data[:0], last)
		}
	}
	s.size = len(data) + len(data)/8
	if size := len(data) - extra; size > MaxMoneyBytes {
		return nil, fmt.Errorf("shard %d has %d bytes of money, %d fit: %w", s.shard, size, MaxMoneyBytes, ErrTooLarge)
	}
	return data, nil
}

// append writes the page with tickets up to a last one. Members are sorted by name and nothing is there that JSON could write in another way, so that bytes
// survive whoever parses and prints them, such as an API server.
func (s *sheet) append(to []byte, last due) []byte {
	to = member(to, `{"format":`, formatVersion)
	to = member(to, `,"horizon":`, int64(s.horizon))
	to = append(to, `,"keys":{`...)
	for i, key := range slices.Sorted(maps.Keys(s.keys)) {
		to = comma(to, i)
		to = append(quoted(to, key), ':')
		to = s.keys[key].append(to, last)
	}
	to = member(to, `},"sequence":`, s.sequence)
	to = member(to, `,"shard":`, int64(s.shard))
	to = member(to, `,"thinned":`, int64(s.thinned))
	return append(to, '}')
}

// append writes what is counted of a key.
func (r *record) append(to []byte, last due) []byte {
	to = append(to, `{"jobs":[`...)
	to = appendJobs(to, r.set)
	to = append(to, `],"models":[`...)
	for i := range r.models {
		to = comma(to, i)
		to = r.models[i].append(to)
	}
	to = append(to, `],"spend":[`...)
	for i := range r.accounts {
		to = comma(to, i)
		to = r.accounts[i].append(to)
	}
	to = append(to, ']')
	to = appendTickets(to, r.tickets, last)
	to = member(to, `,"used":`, r.used)
	return append(to, '}')
}

// append writes [reset, last, life, [day], [week], [month]].
func (a *account) append(to []byte) []byte {
	to = quoted(append(to, '['), a.reset)
	to = member(to, ",", a.last)
	to = member(to, ",", int64(a.life))
	for _, w := range [...]*window{&a.day, &a.week, &a.month} {
		to = append(to, ",["...)
		for i, s := range w {
			if s.amount > 0 {
				to = comma(to, i)
				to = member(to, "", int64(s.epoch))
				to = member(to, ",", int64(s.amount))
			}
		}
		to = append(to, ']')
	}
	return append(to, ']')
}

// append writes [name, row, …].
func (m *model) append(to []byte) []byte {
	to = quoted(append(to, '['), m.name)
	for i := range m.rows {
		to = m.rows[i].append(append(to, ','))
	}
	return append(to, ']')
}

// append writes [day, requests, cost, …] without zeros at the end.
func (r *row) append(to []byte) []byte {
	to = member(to, "[", int64(r.day))
	for _, n := range trimmed(r.n[:]) {
		to = member(to, ",", n)
	}
	return append(to, ']')
}

// appendJobs writes groups of jobs of which the same is known: [state, reset, model, created, deadline, amount, [used], names].
func appendJobs(to []byte, set map[hash]*job) []byte {
	groups := map[job][]hash{}
	for h, j := range set {
		groups[*j] = append(groups[*j], h)
	}
	kinds := slices.SortedFunc(maps.Keys(groups), func(a, b job) int { return a.compare(&b) })
	for i := range kinds {
		hashes := groups[kinds[i]]
		slices.SortFunc(hashes, hash.compare)
		to = kinds[i].append(comma(to, i))
		to = append(to, `,"`...)
		to = appendHashes(to, hashes)
		to = append(to, `"]`...)
	}
	return to
}

// appendHashes writes names one after the other in base64.
func appendHashes(to []byte, hashes []hash) []byte {
	names := make([]byte, 0, len(hashes)*hashSize)
	for i := range hashes {
		names = append(names, hashes[i][:]...)
	}
	return base64.RawStdEncoding.AppendEncode(to, names)
}

// append writes what is known of a job, open for the names.
func (j *job) append(to []byte) []byte {
	to = quoted(append(to, '['), string(j.state.name()))
	to = quoted(append(to, ','), j.reset)
	to = quoted(append(to, ','), j.model)
	to = member(to, ",", int64(j.created))
	to = member(to, ",", int64(j.deadline))
	to = member(to, ",", int64(j.amount))
	to = append(to, ",["...)
	for i, n := range trimmed(j.used[:]) {
		to = comma(to, i)
		to = member(to, "", n)
	}
	return append(to, ']')
}

// trimmed leaves zeros at the end out.
func trimmed(n []int64) []int64 {
	for len(n) > 0 && n[len(n)-1] == 0 {
		n = n[:len(n)-1]
	}
	return n
}

// comma separates the items of a list.
func comma(to []byte, i int) []byte {
	if i > 0 {
		to = append(to, ',')
	}
	return to
}

// member writes a number after what comes before it.
func member(to []byte, before string, n int64) []byte {
	return strconv.AppendInt(append(to, before...), n, 10)
}

// quoted writes a name. Names are plain.
func quoted(to []byte, name string) []byte {
	return append(append(append(to, '"'), name...), '"')
}
