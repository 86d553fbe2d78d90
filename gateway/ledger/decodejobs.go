package ledger

import (
	"encoding/base64"
	"math"
	"slices"
	"strings"

	"vipcloud.ai/vipcloud/gateway/money"
)

// jobs reads groups of jobs and returns them by name.
func (s *scanner) jobs() []known {
	s.literal("[")
	var all []known
	var last *job
	s.list(']', func() {
		j := s.job()
		if last != nil && last.compare(j) >= 0 {
			s.fail()
		}
		last = j
		all = s.hashes(all, j)
	})
	slices.SortFunc(all, compareHash)
	if !ascending(all, func(a, b *known) bool { return compareHash(*a, *b) < 0 }) {
		s.fail()
	}
	return all
}

// job reads what is known of a group of jobs.
func (s *scanner) job() *job {
	s.literal("[")
	j := &job{state: stateOf(JobState(s.quoted()))}
	s.literal(",")
	j.reset = strings.Clone(s.name(maxReset))
	s.literal(",")
	j.model = strings.Clone(s.name(maxModel))
	j.created = int32(s.member(",", maxDay))
	j.deadline = int32(s.member(",", maxHour))
	j.amount = money.Amount(s.member(",", math.MaxInt64))
	s.literal(",[")
	s.numbers(j.used[:])
	if j.state == 0 || (j.state == released && (j.amount != 0 || j.used != amounts{})) {
		s.fail()
	}
	return j
}

// hashes reads the names of a group of jobs, of which there is at least one.
func (s *scanner) hashes(all []known, j *job) []known {
	s.literal(",")
	names, err := base64.RawStdEncoding.Strict().DecodeString(s.name(MaxMoneyBytes)) // plain: base64 would skip line breaks
	s.literal("]")
	if err != nil || len(names) == 0 || len(names)%hashSize != 0 {
		s.fail()
		return all
	}
	start := len(all)
	for chunk := range slices.Chunk(names, hashSize) {
		all = append(all, known{hash(chunk), j})
	}
	if !ascending(all[start:], func(a, b *known) bool { return compareHash(*a, *b) < 0 }) {
		s.fail()
	}
	return all
}
