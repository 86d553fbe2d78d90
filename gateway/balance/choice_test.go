package balance

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

// weighted binds a route with one tier of targets of these weights.
func (w *world) weighted(weights ...int) *Route {
	w.t.Helper()
	var targets []*table.Target
	for i, weight := range weights {
		targets = append(targets, target("t"+strconv.Itoa(i), weight, account("c"+strconv.Itoa(i))))
	}
	return w.bind(spec{name: "r", tiers: [][]*table.Target{targets}})[0]
}

// wantShares checks shares in percent.
func wantShares(t *testing.T, counts []int, tolerance float64, want ...float64) {
	t.Helper()
	total := 0
	for _, n := range counts {
		total += n
	}
	for i := range want {
		if got := float64(counts[i]) / float64(total) * 100; got < want[i]-tolerance || got > want[i]+tolerance {
			t.Errorf("target %d got %.1f %%, want %v", i, got, want[i])
		}
	}
}

func TestPick_sharesFollowWeights(t *testing.T) {
	w := newWorld(t)
	r := w.weighted(10, 30, 60)
	counts := make([]int, 3)
	for range 50_000 {
		i, l := w.pick(r)
		counts[i]++
		l.Release()
	}
	wantShares(t, counts, 1, 10, 30, 60)
}

func TestPick_sharesFollowWeightsUnderLoadAndASlowTargetGetsLess(t *testing.T) {
	for name, tc := range map[string]struct {
		weights []int
		// lasts is how many requests begin before one at the target ends.
		lasts []int
		check func(t *testing.T, counts []int)
	}{
		"equally quick": {weights: []int{25, 75}, lasts: []int{40, 40}, check: func(t *testing.T, counts []int) {
			wantShares(t, counts, 4, 25, 75)
		}},
		"one is slow": {weights: []int{50, 50}, lasts: []int{10, 200}, check: func(t *testing.T, counts []int) {
			if counts[1]*2 > counts[0] {
				t.Errorf("the slow target got %v", counts)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.weighted(tc.weights...)
			ends := map[int][]*Lease{}
			counts := make([]int, len(tc.weights))
			for n := range 20_000 {
				for _, l := range ends[n] {
					l.Succeeded()
				}
				delete(ends, n)
				i, l := w.pick(r)
				counts[i]++
				ends[n+tc.lasts[i]] = append(ends[n+tc.lasts[i]], l)
			}
			tc.check(t, counts)
		})
	}
}

func TestPick_triesEveryTargetOnceLowestTierFirst(t *testing.T) {
	w := newWorld(t)
	r := w.route(2, 1, 2)
	for range 50 {
		var c Choice
		var order []int
		for {
			var l Lease
			i := r.Pick(&c, &l)
			if i < 0 {
				break
			}
			order = append(order, i)
			l.Release()
			c.paid = true
		}
		if len(order) != 5 || order[0] > 1 || order[1] > 1 || order[2] != 2 || order[3] < 3 {
			t.Fatalf("order %v", order)
		}
	}
}

func TestPick_targetsThatCannotBeBoundAreNeverChosen(t *testing.T) {
	w := newWorld(t)
	r := w.bind(spec{name: "r", tiers: [][]*table.Target{
		tierOf(target("a", 1, nil), target("b", 1, account("b"))), tierOf(target("c", 1, nil)),
	}})[0]
	w.wantReach(r, 1)
	empty := w.bind(spec{name: "empty"})[0]
	if i, _ := w.pick(empty); i != -1 {
		t.Errorf("chose %d of nothing", i)
	}
	if o := empty.Outlook(); o.Obstacle != NoTargets {
		t.Errorf("outlook %+v", o)
	}
}

func TestPick_moreTargetsThanFitAreLeftOut(t *testing.T) {
	w := newWorld(t)
	c := account("c")
	var first, second []*table.Target
	for i := range MaxTargets - 1 {
		first = append(first, target("a"+strconv.Itoa(i), 1, c))
	}
	for i := range 5 {
		second = append(second, target("b"+strconv.Itoa(i), 1, c))
	}
	r := w.bind(spec{name: "r", tiers: [][]*table.Target{first, second, tierOf(target("z", 1, c))}})[0]
	if got := w.reach(r); len(got) != MaxTargets || got[MaxTargets-1] != MaxTargets-1 {
		t.Errorf("%d targets can be called, the last is %d", len(got), got[len(got)-1])
	}
}

func TestPick_aConversationStaysOnItsTarget(t *testing.T) {
	w := newWorld(t)
	r := w.weighted(20, 30, 50)
	home := func(conversation uint64) int {
		c := Choice{Conversation: conversation, Sticky: true}
		var l Lease
		i := r.Pick(&c, &l)
		l.Release()
		return i
	}
	before := map[uint64]int{}
	counts := make([]int, 3)
	for range 20_000 {
		conversation := rand.Uint64()
		before[conversation] = home(conversation)
		counts[before[conversation]]++
		if home(conversation) != before[conversation] {
			t.Fatalf("conversation %d moved for no reason", conversation)
		}
	}
	wantShares(t, counts, 1.5, 20, 30, 50)

	w.fail(r, 1, maxFailures, provider.ClassServerError)
	for conversation, was := range before {
		now := home(conversation)
		if was != 1 && now != was || now == 1 {
			t.Fatalf("a conversation of target %d went to %d when target 1 failed", was, now)
		}
	}
	if w.state("ns/r/t1") != Ejected {
		t.Fatal("target 1 is not ejected")
	}
}

func TestPick_aConversationDoesNotDependOnTheOrderOfTargetsOrOnTheReplica(t *testing.T) {
	a, b, c := target("a", 1, account("a")), target("b", 2, account("b")), target("c", 3, account("c"))
	one := newWorld(t).bind(spec{name: "r", tiers: [][]*table.Target{tierOf(a, b, c)}})[0]
	other := newWorld(t).bind(spec{name: "r", tiers: [][]*table.Target{tierOf(c, a, b)}})[0]
	names := func(r *Route, conversation uint64) string {
		choice := Choice{Conversation: conversation, Sticky: true}
		var l Lease
		return r.candidates[r.Pick(&choice, &l)].state.id
	}
	for conversation := range uint64(1000) {
		if x, y := names(one, conversation), names(other, conversation); x != y {
			t.Fatalf("conversation %d is at %s here and at %s there", conversation, x, y)
		}
	}
}

func TestPick_allocatesNothing(t *testing.T) {
	w := newWorld(t)
	r := w.weighted(10, 30, 60)
	for name, choice := range map[string]Choice{"by weight": {}, "by conversation": {Conversation: 7, Sticky: true}} {
		t.Run(name, func(t *testing.T) {
			var l Lease
			if n := testing.AllocsPerRun(1000, func() {
				c := choice
				if r.Pick(&c, &l) < 0 {
					t.Fatal("none")
				}
				l.Answered()
				l.Succeeded()
			}); n > 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func TestFailed_allocatesNothingUnlessTheStateChanges(t *testing.T) {
	w := newWorld(t)
	r := w.route(1)
	var l Lease
	e := &provider.Error{Class: provider.ClassServerError}
	if n := testing.AllocsPerRun(1000, func() {
		var c Choice
		r.Pick(&c, &l)
		l.Failed(e)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMix_spreadsBits(t *testing.T) {
	seen := make([]int, 16)
	for i := range uint64(16_000) {
		seen[mix(i)>>60]++
	}
	if slices.Min(seen) < 800 || slices.Max(seen) > 1200 {
		t.Errorf("%v", seen)
	}
}
