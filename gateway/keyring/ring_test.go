package keyring_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/keyring"
)

// noon is when the rings of tests begin.
func noon() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }

// newRing makes a ring of one key.
func newRing(t *testing.T) keyring.Ring {
	t.Helper()
	r, err := keyring.NewAt(noon())
	if err != nil {
		t.Fatalf("making a ring: %v", err)
	}
	return r
}

// added returns a ring with one more key, and the ID of that.
func added(t *testing.T, r keyring.Ring, now time.Time) (keyring.Ring, uint32) {
	t.Helper()
	next, err := r.Add(now)
	if err != nil {
		t.Fatalf("adding a key: %v", err)
	}
	keys := next.Keys()
	return next, keys[len(keys)-1].ID
}

// promoted returns a ring with another primary key.
func promoted(t *testing.T, r keyring.Ring, id uint32, now time.Time) keyring.Ring {
	t.Helper()
	next, err := r.Promote(id, now)
	if err != nil {
		t.Fatalf("promoting a key: %v", err)
	}
	return next
}

// seal seals a text.
func seal(t *testing.T, r keyring.Ring, text string) []byte {
	t.Helper()
	sealed, err := r.Seal([]byte(text), []byte("owner"))
	if err != nil {
		t.Fatalf("sealing: %v", err)
	}
	return sealed
}

// opens says whether a ring opens what was sealed as text.
func opens(r keyring.Ring, sealed []byte, text string) bool {
	plain, err := r.Open(sealed, []byte("owner"))
	return err == nil && string(plain) == text
}

func TestRing_OpensWhatItSealed(t *testing.T) {
	r := newRing(t)
	for name, text := range map[string]string{"a text": "job 1", "nothing": "", "long": string(bytes.Repeat([]byte("x"), 10_000))} {
		t.Run(name, func(t *testing.T) {
			first, second := seal(t, r, text), seal(t, r, text)
			if !opens(r, first, text) || !opens(r, second, text) {
				t.Error("not opened")
			}
			if bytes.Equal(first, second) {
				t.Error("sealed alike twice: a nonce was used again")
			}
			if text != "" && bytes.Contains(first, []byte(text)) {
				t.Error("the sealed text shows what it is")
			}
			if got, want := len(first), len(text)+45; got != want {
				t.Errorf("%d bytes, want %d", got, want)
			}
		})
	}
}

func TestRing_RefusesWhatItDidNotSeal(t *testing.T) {
	r := newRing(t)
	sealed := seal(t, r, "job 1")
	for i := range sealed {
		forged := bytes.Clone(sealed)
		forged[i] ^= 1
		if _, err := r.Open(forged, []byte("owner")); !errors.Is(err, keyring.ErrOpen) {
			t.Errorf("byte %d changed: %v, want ErrOpen", i, err)
		}
	}
	cases := map[string]struct {
		ring   keyring.Ring
		sealed []byte
		data   string
	}{
		"other associated data": {ring: r, sealed: sealed, data: "another owner"},
		"no associated data":    {ring: r, sealed: sealed},
		"another ring":          {ring: newRing(t), sealed: sealed, data: "owner"},
		"cut":                   {ring: r, sealed: sealed[:len(sealed)-1], data: "owner"},
		"extended":              {ring: r, sealed: append(bytes.Clone(sealed), 0), data: "owner"},
		"nothing":               {ring: r, data: "owner"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := tc.ring.Open(tc.sealed, []byte(tc.data)); !errors.Is(err, keyring.ErrOpen) || err.Error() != keyring.ErrOpen.Error() {
				t.Errorf("%v, want ErrOpen and nothing more", err)
			}
		})
	}
}

func TestRing_NewIsUsableNow(t *testing.T) {
	before := time.Now().Truncate(time.Second)
	r, err := keyring.New()
	if err != nil {
		t.Fatal(err)
	}
	keys := r.Keys()
	if len(keys) != 1 || !keys[0].Primary() || keys[0].Pending() || keys[0].CreatedAt.Before(before) {
		t.Errorf("keys %+v, want one that is the primary one since now", keys)
	}
}

func TestRing_TheZeroRingDoesNothing(t *testing.T) {
	var r keyring.Ring
	_, sealing := r.Seal(nil, nil)
	_, opening := r.Open(nil, nil)
	_, adding := r.Add(noon())
	_, promoting := r.Promote(1, noon())
	_, retiring := r.Retire(1)
	for step, err := range map[string]error{"Seal": sealing, "Open": opening, "Add": adding, "Promote": promoting, "Retire": retiring} {
		if !errors.Is(err, keyring.ErrEmpty) {
			t.Errorf("%s: %v, want ErrEmpty", step, err)
		}
	}
	if r.Keys() != nil || r.Bytes() != nil || !r.Equal(keyring.Ring{}) || r.Equal(newRing(t)) || newRing(t).Equal(r) {
		t.Error("the zero ring has something")
	}
}

func TestRing_CannotBeChangedThroughWhatItReturns(t *testing.T) {
	r := newRing(t)
	keys, text := r.Keys(), r.Bytes()
	r.Keys()[0].ID++
	clear(r.Bytes())
	if diff := cmp.Diff(keys, r.Keys()); diff != "" || !bytes.Equal(text, r.Bytes()) {
		t.Errorf("the ring changed: %s", diff)
	}
}

func TestHolder_SwapsWhileOthersSealAndOpen(t *testing.T) {
	var h keyring.Holder
	if h.Load() != nil {
		t.Fatal("a new holder has a ring")
	}
	r := newRing(t)
	first := seal(t, r, "job 1")
	h.Set(r)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				ring := h.Load()
				sealed, err := ring.Seal([]byte("job 2"), []byte("owner"))
				if err != nil || !opens(*ring, sealed, "job 2") || !opens(*h.Load(), first, "job 1") {
					t.Errorf("a ring does not open its own: %v", err)
					return
				}
			}
		})
	}
	for range 20 {
		next, id := added(t, r, noon())
		h.Set(next)
		r = promoted(t, next, id, noon())
		h.Set(r)
	}
	wg.Wait()
	if !h.Load().Equal(r) {
		t.Error("the last ring is not the current one")
	}
}
