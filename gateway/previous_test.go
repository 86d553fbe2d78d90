package gateway

import (
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/apikey"
)

func TestPreviousUses_firstOfEachMinute(t *testing.T) {
	var p previousUses
	a, b, start := apikey.Sum("a"), apikey.Sum("b"), time.Unix(1_800_000_000, 0).Truncate(time.Minute)
	for i, step := range []struct {
		sum  apikey.Hash
		at   time.Duration
		want bool
	}{
		{a, 0, true}, {a, time.Second, false}, {b, 2 * time.Second, true}, {a, 59 * time.Second, false},
		{a, time.Minute, true}, {b, 61 * time.Second, true}, {b, 62 * time.Second, false}, {a, time.Hour, true},
	} {
		if got := p.first(step.sum, start.Add(step.at)); got != step.want {
			t.Errorf("step %d: first is %v, want %v", i, got, step.want)
		}
	}
	if n := len(p.seen); n != 1 {
		t.Errorf("%d hashes are remembered, want those of the present minute", n)
	}
}
