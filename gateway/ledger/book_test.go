package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

// The hash belongs to the format: a key that moved would count in two shards.
func TestShard_NeverChanges(t *testing.T) {
	for key, want := range map[string]int{
		"": 1, "shop/web": 56, "shop/key-118": 56, "team-a/batch": 8, "demo/anonymous": 12, "vipcloud-system/default": 18,
	} {
		if got := ledger.Shard(key); got != want {
			t.Errorf("%q is in shard %d, want %d", key, got, want)
		}
	}
}

func TestShard_SpreadsKeys(t *testing.T) {
	var counts [ledger.Shards]int
	const perShard = 500
	for i := range ledger.Shards * perShard {
		counts[ledger.Shard(fmt.Sprintf("team-%d/key-%d", i%40, i))]++
	}
	if least, most := slices.Min(counts[:]), slices.Max(counts[:]); least < perShard*8/10 || most > perShard*12/10 {
		t.Errorf("shards have %d to %d keys, about %d were expected", least, most, perShard)
	}
}

func TestBook_Spent(t *testing.T) {
	const old = "2026-10"
	reset := func(e ledger.Entry, value string) ledger.Entry {
		e.Reset = value
		return e
	}
	tests := map[string]struct {
		counted []any
		reset   string
		period  ledger.Period
		at      time.Time
		want    money.Amount
	}{
		"nothing is known": {
			period: ledger.Lifetime, at: noon,
		},
		"requests of a day are summed": {
			counted: []any{entry(noon, 1), entry(noon.Add(11*time.Hour), 2), entry(noon.Add(-13*time.Hour), 4)},
			period:  ledger.Day, at: noon, want: 3,
		},
		"a day is a day in UTC": {
			counted: []any{entry(noon.Add(-11*time.Hour).In(time.FixedZone("", -8*3600)), 1), entry(noon, 2)},
			period:  ledger.Day, at: noon.In(time.FixedZone("", 14*3600)), want: 3,
		},
		"a new day begins at zero": {
			counted: []any{entry(noon, 1)}, period: ledger.Day, at: noon.Add(12 * time.Hour),
		},
		"a week begins on Monday": {
			counted: []any{entry(noon.Add(-days(7)), 1), entry(noon.Add(-days(6)), 2), entry(noon, 4), entry(noon.Add(days(1)), 8)},
			period:  ledger.Week, at: noon, want: 6,
		},
		"a week may span years": {
			counted: []any{entry(time.Date(2026, 12, 28, 0, 0, 0, 0, time.UTC), 1), entry(time.Date(2027, 1, 3, 23, 0, 0, 0, time.UTC), 2)},
			period:  ledger.Week, at: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), want: 3,
		},
		"a month is one of the calendar": {
			counted: []any{entry(time.Date(2026, 10, 31, 23, 59, 59, 0, time.UTC), 1), entry(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), 2)},
			period:  ledger.Month, at: noon, want: 2,
		},
		"the same month of another year is another": {
			counted: []any{entry(noon, 1)}, period: ledger.Month, at: noon.AddDate(1, 0, 0),
		},
		"a lifetime has no end": {
			counted: []any{entry(noon, 1), entry(noon.AddDate(1, 0, 0), 2), entry(noon.AddDate(50, 0, 0), 4)},
			period:  ledger.Lifetime, at: noon, want: 7,
		},
		"an unknown period is a lifetime": {
			counted: []any{entry(noon, 1)}, period: "Year", at: noon.AddDate(3, 0, 0), want: 1,
		},
		"a replica whose clock is a day ahead does not hide today": {
			counted: []any{entry(noon, 1), entry(noon.Add(days(1)), 2), entry(noon, 4)}, period: ledger.Day, at: noon, want: 5,
		},
		"one wild clock does not hide the days after": {
			counted: []any{entry(noon.AddDate(20, 0, 0), 1), entry(noon, 2), entry(noon.Add(days(1)), 4)},
			period:  ledger.Day, at: noon.Add(days(1)), want: 4,
		},
		"a changed reset value begins at zero": {
			counted: []any{reset(entry(noon, 1), old)}, reset: "2026-11", period: ledger.Lifetime, at: noon,
		},
		"a stale replica that still counts for the old value does not bring it back": {
			counted: []any{reset(entry(noon, 1), old), entry(noon, 2), reset(entry(noon, 4), old)}, period: ledger.Lifetime, at: noon, want: 2,
		},
		"what costs less than nothing costs nothing": {
			counted: []any{entry(noon, -5), entry(noon, 1)}, period: ledger.Lifetime, at: noon, want: 1,
		},
		"times before 1970 are its first day": {
			counted: []any{entry(time.Time{}, 1)}, period: ledger.Day, at: time.Unix(0, 0), want: 1,
		},
		"times after 9999 are its last day": {
			counted: []any{entry(time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC), 1)}, period: ledger.Month,
			at: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), want: 1,
		},
		"a charged job counts on the day that it was made": {
			counted: []any{reserve(1, 5), charge(1, 7), entry(noon.Add(days(1)), 1)},
			period:  ledger.Day, at: noon, want: 7,
		},
		"a running job is not spent":                     {counted: []any{reserve(1, 5)}, period: ledger.Day, at: noon},
		"a released job is not spent":                    {counted: []any{release(1)}, period: ledger.Day, at: noon},
		"a job counts once however often it is reported": {counted: []any{charge(1, 5), charge(1, 5)}, period: ledger.Day, at: noon, want: 5},
		"charged stays charged": {
			counted: []any{charge(1, 5), release(1), reserve(1, 9)}, period: ledger.Day, at: noon, want: 5,
		},
		"of two charges the higher one counts": {counted: []any{charge(1, 5), charge(1, 3)}, period: ledger.Day, at: noon, want: 5},
		"jobs of a month count in it": {
			counted: []any{charge(1, 5), charge(2, 3)}, period: ledger.Month, at: noon.Add(-days(20)), want: 8,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := book(t, tc.counted...)
			if got := b.Spent(web, tc.reset, tc.period, tc.at); got != tc.want {
				t.Errorf("the book says %d, want %d", got, tc.want)
			}
			p := decode(t, encode(t, b, 56))
			if got := p.Spent(web, tc.reset, tc.period, tc.at); got != tc.want {
				t.Errorf("the page says %d, want %d", got, tc.want)
			}
			if got := total(p).Spent(web, tc.reset, tc.period, tc.at); got != tc.want {
				t.Errorf("the view says %d, want %d", got, tc.want)
			}
		})
	}
}

func TestBook_Reserved(t *testing.T) {
	tests := map[string]struct {
		counted []any
		at      time.Time
		want    money.Amount
	}{
		"nothing is known":                       {at: noon},
		"running jobs are summed":                {counted: []any{reserve(1, 5), reserve(2, 2)}, at: noon, want: 7},
		"a charged job holds nothing":            {counted: []any{reserve(1, 5), charge(1, 4)}, at: noon},
		"a released job holds nothing":           {counted: []any{reserve(1, 5), release(1)}, at: noon},
		"a release that comes first is no less":  {counted: []any{release(1), reserve(1, 5)}, at: noon},
		"a job of yesterday holds nothing today": {counted: []any{reserve(1, 5)}, at: noon.Add(days(1))},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := book(t, tc.counted...)
			if got := b.Reserved(web, "", ledger.Day, tc.at); got != tc.want {
				t.Errorf("the book says %d, want %d", got, tc.want)
			}
			p := decode(t, encode(t, b, 56))
			if got := p.Reserved(web, "", ledger.Day, tc.at); got != tc.want {
				t.Errorf("the page says %d, want %d", got, tc.want)
			}
			if got := total(p).Reserved(web, "", ledger.Day, tc.at); got != tc.want {
				t.Errorf("the view says %d, want %d", got, tc.want)
			}
		})
	}
}

func TestBook_KeepsTheResetValuesUsedLast(t *testing.T) {
	b := ledger.NewBook()
	for i := range 6 {
		e := entry(noon.Add(time.Duration(i)*time.Minute), money.Amount(i+1))
		e.Reset = fmt.Sprintf("reset %d", i)
		b.Settle(e)
	}
	again := entry(noon.Add(time.Hour), 10) // the oldest that is left is used again, so that it is not the next to go
	again.Reset = "reset 2"
	b.Settle(again)
	last := entry(noon.Add(2*time.Hour), 1)
	last.Reset = "reset 6"
	b.Settle(last)
	var got []money.Amount
	for i := range 7 {
		got = append(got, b.Spent(web, fmt.Sprintf("reset %d", i), ledger.Lifetime, noon))
	}
	if want := []money.Amount{0, 0, 13, 0, 5, 6, 1}; !slices.Equal(got, want) {
		t.Errorf("the accounts have %d, want %d", got, want)
	}
	decode(t, encode(t, b, 56))
}

func TestBook_MoneyEndsAtItsLimitAndSaysSo(t *testing.T) {
	b := ledger.NewBook()
	if r := b.Settle(entry(noon, money.Max-1)); r.Saturated {
		t.Error("saturated although it fits")
	}
	if r := b.Settle(entry(noon, 1)); r.Saturated {
		t.Error("saturated although it just fits")
	}
	if r := b.Settle(entry(noon, 1)); !r.Saturated {
		t.Error("not saturated")
	}
	for _, p := range periods {
		if got := b.Spent(web, "", p, noon); got != money.Max {
			t.Errorf("%s: %s", p, got)
		}
	}
	acknowledged := decode(t, encode(t, b, 56))
	if got := total(acknowledged, acknowledged).Spent(web, "", ledger.Day, noon); got != money.Max {
		t.Errorf("two of them are %s", got)
	}
	b.Settle(entry(noon, 1))
	if err := b.Retired(acknowledged); err != nil {
		t.Fatal(err)
	}
	if got := b.Spent(web, "", ledger.Day, noon); got != money.Max {
		t.Errorf("%s after nobody knows how much was taken back", got)
	}
}

func TestBook_JobsEndAtTheLimitAndComeBack(t *testing.T) {
	b := book(t, reserve(1, money.Max-1), reserve(2, 1))
	r, err := b.Job(reserve(3, 1))
	if err != nil || !r.Saturated {
		t.Errorf("%+v, %v", r, err)
	}
	if got := b.Reserved(web, "", ledger.Day, noon); got != money.Max {
		t.Errorf("reserved %d", got)
	}
	if _, err := b.Job(release(1)); err != nil {
		t.Fatal(err)
	}
	if got := b.Reserved(web, "", ledger.Day, noon); got != 2 {
		t.Errorf("reserved %d after the large one was released, want 2", got)
	}
}

func TestBook_JobRefuses(t *testing.T) {
	with := func(change func(*ledger.JobEntry)) ledger.JobEntry {
		e := charge(1, 5)
		change(&e)
		return e
	}
	b := ledger.NewBook()
	for name, e := range map[string]ledger.JobEntry{
		"a hash that is too short": with(func(e *ledger.JobEntry) { e.Hash = e.Hash[1:] }),
		"a hash in capitals":       with(func(e *ledger.JobEntry) { e.Hash = strings.Repeat("AB", 16) }),
		"a state that is none":     with(func(e *ledger.JobEntry) { e.State = "refunded" }),
		"no state":                 with(func(e *ledger.JobEntry) { e.State = "" }),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := b.Job(e); !errors.Is(err, ledger.ErrJob) {
				t.Errorf("got %v", err)
			}
		})
	}
	if dirty := b.Dirty(); dirty != nil {
		t.Errorf("shards %v are dirty", dirty)
	}
}
