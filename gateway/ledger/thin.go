package ledger

import (
	"maps"
	"slices"
)

// thinWeek is how many days of history stay as long as uniting models makes room, too.
const thinWeek = 7

// thinToWeek forgets the oldest days of all keys, but the newest seven, until that many bytes are saved. It says whether there was
// anything to forget.
func (s *sheet) thinToWeek(excess int) bool { return s.thin(excess, thinWeek) }

// thinToNothing forgets the oldest days of all keys until that many bytes are saved.
func (s *sheet) thinToNothing(excess int) bool { return s.thin(excess, 0) }

// unite makes all models of each key one.
func (s *sheet) unite(int) bool {
	united := false
	for _, r := range s.keys {
		united = r.models.unite() || united
	}
	return united
}

// thin forgets the oldest days of all keys until that many bytes are saved, but not the newest of them.
func (s *sheet) thin(excess, keep int) bool {
	sizes := s.historySizes()
	days := slices.Sorted(maps.Keys(sizes))
	dropped := int32(-1)
	for len(days) > keep && excess > 0 {
		dropped = days[0]
		excess -= sizes[dropped]
		days = days[1:]
	}
	if dropped < 0 {
		return false
	}
	s.thinned = max(s.thinned, dropped)
	for _, r := range s.keys {
		r.models.expire(dropped + 1)
	}
	return true
}

// historySizes returns how many bytes each day takes, at least.
func (s *sheet) historySizes() map[int32]int {
	sizes := map[int32]int{}
	var scratch []byte
	for _, r := range s.keys {
		for _, m := range r.models {
			for i := range m.rows {
				scratch = m.rows[i].append(scratch[:0])
				sizes[m.rows[i].day] += len(scratch) + len(",")
			}
		}
	}
	return sizes
}
