package ledger

import (
	"fmt"
	"math"

	"vipcloud.ai/vipcloud/gateway/money"
)

// Decode reads a page. It takes nothing but what Encode writes, byte for byte. Errors wrap ErrFormat, ErrVersion or ErrTooLarge.
func Decode(data []byte) (*Page, error) {
	if limit := MaxMoneyBytes + MaxTicketBytes; len(data) > limit {
		return nil, fmt.Errorf("page has %d bytes, %d fit: %w", len(data), limit, ErrTooLarge)
	}
	s := scanner{text: string(data)}
	if version := s.member(`{"format":`, math.MaxInt32); !s.bad && version != formatVersion {
		return nil, fmt.Errorf("format is %d, known is %d: %w", version, formatVersion, ErrVersion)
	}
	p := s.page()
	if s.bad || s.at != len(s.text) {
		return nil, fmt.Errorf("at byte %d of %d: %w", s.at, len(s.text), ErrFormat)
	}
	return p, nil
}

// page reads all after the version.
func (s *scanner) page() *Page {
	p := &Page{horizon: int32(s.member(`,"horizon":`, maxHour)), keys: map[string]*leaf{}}
	s.literal(`,"keys":{`)
	last := ""
	s.list('}', func() {
		key := s.name(maxKey)
		s.literal(":")
		if key <= last { // an empty one, too
			s.fail()
		}
		last, p.keys[key] = key, s.leaf()
	})
	p.sequence = s.member(`,"sequence":`, math.MaxInt64)
	p.shard = int(s.member(`,"shard":`, Shards-1))
	p.thinned = int32(s.member(`,"thinned":`, maxDay))
	s.literal("}")
	for key := range p.keys {
		if shardOf(key) != p.shard {
			s.fail()
		}
	}
	return p
}

// leaf reads what is counted of a key.
func (s *scanner) leaf() *leaf {
	l, start := &leaf{}, s.at
	s.literal(`{"jobs":`)
	l.jobsText = s.between(func() { l.set = s.jobs() })
	s.literal(`,"models":`)
	l.modelsText = s.between(func() { s.models(func(string, *row) {}) })
	s.literal(`,"spend":[`)
	s.list(']', func() { l.accounts = append(l.accounts, s.account()) })
	if !ascending(l.accounts, func(a, b *account) bool { return a.reset < b.reset }) || len(l.accounts) > maxResets {
		s.fail()
	}
	if s.follows(`,"tickets":[`) {
		l.tickets = s.tickets()
	}
	l.used = s.member(`,"used":`, maxSecond)
	s.literal("}")
	l.text = s.text[start:s.at]
	open := 0
	for _, k := range l.set {
		l.count(k.job)
		if _, found := l.tickets[k.hash]; found && k.state == reserved {
			open++
		}
	}
	if open < len(l.tickets) { // a ticket without a job that runs
		s.fail()
	}
	return l
}

// between returns the text that a function reads.
func (s *scanner) between(read func()) string {
	start := s.at
	read()
	return s.text[start:s.at]
}

// ascending says that a list is sorted and nothing comes twice.
func ascending[T any](list []T, less func(a, b *T) bool) bool {
	for i := 1; i < len(list); i++ {
		if !less(&list[i-1], &list[i]) {
			return false
		}
	}
	return true
}

// account reads an account.
func (s *scanner) account() account {
	s.literal("[")
	a := account{reset: s.name(maxReset)}
	a.last = s.member(",", maxSecond)
	a.life = s.amount(",")
	for _, w := range [...]*window{&a.day, &a.week, &a.month} {
		s.literal(",[")
		s.window(w)
	}
	s.literal("]")
	return a
}

// amount reads money above zero.
func (s *scanner) amount(before string) money.Amount {
	n := s.member(before, math.MaxInt64)
	if n == 0 {
		s.fail()
	}
	return money.Amount(n)
}

// window reads at most two periods, the newest first.
func (s *scanner) window(w *window) {
	i := 0
	s.list(']', func() {
		if i == len(w) {
			s.fail()
			return
		}
		w[i].epoch = int32(s.number(maxDay))
		w[i].amount = s.amount(",")
		i++
	})
	if w[1].amount > 0 && w[0].epoch <= w[1].epoch {
		s.fail()
	}
}

// models reads a history and yields its rows.
func (s *scanner) models(yield func(model string, r *row)) {
	s.literal("[")
	var named, other int
	last := ""
	s.list(']', func() {
		s.literal("[")
		name := s.name(maxModel)
		if (name <= last) && named+other > 0 {
			s.fail()
		}
		if name == OtherModel {
			other++
		} else {
			named++
		}
		last = name
		s.literal(",")
		s.rows(name, yield)
	})
	if named > MaxModels {
		s.fail()
	}
}

// rows reads the rows of a model, of which there is at least one.
func (s *scanner) rows(name string, yield func(model string, r *row)) {
	count, last := 0, int32(-1)
	var r row // one for all, as it escapes
	for closed := false; !s.bad && !closed; closed = s.take(']') {
		if count > 0 {
			s.literal(",")
		}
		s.row(&r)
		if count++; r.day <= last || count > HistoryDays {
			s.fail()
		}
		if last = r.day; !s.bad {
			yield(name, &r)
		}
	}
}

// row reads a row, which has something in it.
func (s *scanner) row(r *row) {
	*r = row{day: int32(s.member("[", maxDay))}
	s.literal(",")
	if s.numbers(r.n[:]) == 0 {
		s.fail()
	}
}

// numbers reads a list of numbers, of which the last is not zero, to after its bracket, and returns how many they are.
func (s *scanner) numbers(to []int64) int {
	n := 0
	s.list(']', func() {
		if n == len(to) {
			s.fail()
			return
		}
		to[n] = s.number(math.MaxInt64)
		n++
	})
	if n > 0 && to[n-1] == 0 {
		s.fail()
	}
	return n
}
