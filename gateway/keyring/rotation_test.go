package keyring_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/keyring"
)

func TestRotation_NoReplicaMeetsWhatItCannotOpen(t *testing.T) {
	one := newRing(t)
	both, id := added(t, one, noon().Add(time.Hour))
	two := promoted(t, both, id, noon().Add(2*time.Hour))

	old := seal(t, both, "sealed while the new key only opens")
	if !opens(one, old, "sealed while the new key only opens") {
		t.Error("a replica without the new key cannot open what one with it sealed before the promotion")
	}
	fresh := seal(t, two, "sealed by the new key")
	if !opens(both, fresh, "sealed by the new key") {
		t.Error("a replica that has the new key cannot open what was sealed by it")
	}
	if opens(one, fresh, "sealed by the new key") {
		t.Error("the old key seals on after the promotion")
	}
	for name, r := range map[string]keyring.Ring{"before": one, "between": both, "after": two} {
		if !opens(r, seal(t, one, "sealed at first"), "sealed at first") {
			t.Errorf("what was sealed at first cannot be opened %s", name)
		}
	}
	firstID := one.Keys()[0].ID
	retired, err := two.Retire(firstID)
	if err != nil {
		t.Fatalf("retiring: %v", err)
	}
	if opens(retired, old, "sealed while the new key only opens") || !opens(retired, fresh, "sealed by the new key") {
		t.Error("retiring removed the wrong key")
	}
}

func TestRotation_KeepsTheTimes(t *testing.T) {
	r, second := added(t, newRing(t), noon().Add(time.Hour+time.Millisecond))
	r = promoted(t, r, second, noon().Add(2*time.Hour).In(time.FixedZone("CST", 8*3600)))
	r, third := added(t, r, noon().Add(3*time.Hour))
	want := []keyring.Key{
		{ID: r.Keys()[0].ID, CreatedAt: noon(), PrimarySince: noon(), PrimaryUntil: noon().Add(2 * time.Hour)},
		{ID: second, CreatedAt: noon().Add(time.Hour), PrimarySince: noon().Add(2 * time.Hour)},
		{ID: third, CreatedAt: noon().Add(3 * time.Hour)},
	}
	if diff := cmp.Diff(want, r.Keys()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for i, state := range []struct{ primary, pending bool }{{false, false}, {true, false}, {false, true}} {
		if k := r.Keys()[i]; k.Primary() != state.primary || k.Pending() != state.pending {
			t.Errorf("key %d is primary %t, pending %t", i, k.Primary(), k.Pending())
		}
	}
}

func TestRotation_RefusesStepsOutOfOrder(t *testing.T) {
	fresh := newRing(t)
	pending, id := added(t, fresh, noon())
	done := promoted(t, pending, id, noon())
	first := fresh.Keys()[0].ID
	cases := map[string]func() error{
		"adding beside a key that waits":      func() error { _, err := pending.Add(noon()); return err },
		"promoting the primary key":           func() error { _, err := fresh.Promote(first, noon()); return err },
		"promoting a key of the past":         func() error { _, err := done.Promote(first, noon()); return err },
		"promoting a key that is not there":   func() error { _, err := pending.Promote(id+1, noon()); return err },
		"retiring the primary key":            func() error { _, err := fresh.Retire(first); return err },
		"retiring a key that is not there":    func() error { _, err := done.Retire(id + 1); return err },
		"retiring a key twice":                func() error { _, err := done.Retire(first, first); return err },
		"retiring the primary among others":   func() error { _, err := done.Retire(first, id); return err },
		"adding to a ring that is full of it": func() error { _, err := full(t).Add(noon()); return err },
	}
	for name, step := range cases {
		t.Run(name, func(t *testing.T) {
			if err := step(); !errors.Is(err, keyring.ErrStep) {
				t.Errorf("%v, want ErrStep", err)
			}
		})
	}
	if !opens(done, seal(t, fresh, "x"), "x") {
		t.Error("a refused step changed the ring")
	}
}

// full is a ring of as many keys as there may be.
func full(t *testing.T) keyring.Ring {
	t.Helper()
	r := newRing(t)
	for len(r.Keys()) < keyring.MaxKeys {
		next, id := added(t, r, noon())
		r = promoted(t, next, id, noon())
	}
	return r
}

func TestRotation_AFullRingFitsBesideTheCredentials(t *testing.T) {
	r := full(t)
	text := r.Bytes()
	if len(text) > 24<<10 {
		t.Errorf("%d bytes", len(text))
	}
	again, err := keyring.Parse(text)
	if err != nil || !again.Equal(r) {
		t.Errorf("it cannot be read again: %v", err)
	}
}
