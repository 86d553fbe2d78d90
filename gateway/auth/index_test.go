package auth

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/table"
)

// makeKey returns a key of namespace ns that accepts the given plaintexts.
func makeKey(name string, plaintexts ...string) *table.Key {
	k := &table.Key{Namespace: "ns", Name: name, AnyModel: true}
	for _, p := range plaintexts {
		k.Hashes = append(k.Hashes, table.KeyHash{Sum: apikey.Sum(p)})
	}
	return k
}

// owner returns the name of the key that a plaintext belongs to.
func owner(x *Index, plaintext string) string {
	if k := x.Lookup(apikey.Sum(plaintext), time.Unix(100, 0)); k != nil {
		return k.Name
	}
	return ""
}

func TestIndex_putReplacesAndDeleteRemoves(t *testing.T) {
	var x Index
	x.Put(makeKey("a", "one", "two"))
	x.Put(makeKey("b", "three"))
	x.Put(makeKey("a", "two", "four"))
	for plaintext, want := range map[string]string{"one": "", "two": "a", "three": "b", "four": "a", "five": ""} {
		if got := owner(&x, plaintext); got != want {
			t.Errorf("%s belongs to %q, want %q", plaintext, got, want)
		}
	}
	x.Delete("ns", "a")
	x.Delete("ns", "never-there")
	if got := owner(&x, "two"); got != "" || x.Len() != 1 {
		t.Errorf("deleted key still accepted (%q), %d keys", got, x.Len())
	}
}

func TestIndex_aHashBelongsToOneKeyAndPassesOnWhenThatGoes(t *testing.T) {
	first, second := makeKey("z-generated", "shared"), makeKey("a-brought", "shared")
	first.Generated = true
	for name, order := range map[string][]*table.Key{"generated first": {first, second}, "brought first": {second, first}} {
		t.Run(name, func(t *testing.T) {
			var x Index
			for _, k := range order {
				x.Put(k)
			}
			if got := owner(&x, "shared"); got != "z-generated" {
				t.Errorf("hash belongs to %q", got)
			}
			x.Delete("ns", "z-generated")
			if got := owner(&x, "shared"); got != "a-brought" {
				t.Errorf("after deletion it belongs to %q", got)
			}
			x.Replace(order)
			if got := owner(&x, "shared"); got != "z-generated" {
				t.Errorf("after replacement it belongs to %q", got)
			}
		})
	}
}

func TestIndex_aHashEndsAtItsOwnTime(t *testing.T) {
	var x Index
	k := makeKey("a", "current", "previous")
	k.Hashes[1].NotAfter = time.Unix(100, 0)
	x.Put(k)
	if x.Lookup(apikey.Sum("previous"), time.Unix(99, 0)) == nil || x.Lookup(apikey.Sum("previous"), time.Unix(100, 0)) != nil {
		t.Error("the end of a rotated-out key is not kept to the second")
	}
	if x.Lookup(apikey.Sum("current"), time.Unix(1000, 0)) == nil {
		t.Error("the current key ended, too")
	}
}

func TestIndex_matchesAPlainMapUnderRandomChanges(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var x Index
	model := map[string][]string{}
	for range 5000 {
		name := fmt.Sprintf("k%d", random.IntN(20))
		switch random.IntN(3) {
		case 0:
			x.Delete("ns", name)
			delete(model, name)
		default:
			plaintexts := []string{fmt.Sprintf("%s-%d", name, random.IntN(5)), fmt.Sprintf("%s-%d", name, random.IntN(5))}
			x.Put(makeKey(name, plaintexts...))
			model[name] = plaintexts
		}
		name = fmt.Sprintf("k%d", random.IntN(20))
		for i := range 5 {
			plaintext := fmt.Sprintf("%s-%d", name, i)
			want := ""
			for _, p := range model[name] {
				if p == plaintext {
					want = name
				}
			}
			if got := owner(&x, plaintext); got != want {
				t.Fatalf("%s belongs to %q, want %q", plaintext, got, want)
			}
		}
	}
	if x.Len() != len(model) {
		t.Errorf("%d keys, want %d", x.Len(), len(model))
	}
}

func TestIndex_readersNeverSeeAKeyMissingWhileOthersChange(t *testing.T) {
	var x Index
	x.Put(makeKey("stable", "stable"))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for i := range 2000 {
			x.Put(makeKey(fmt.Sprintf("k%d", i%50), fmt.Sprintf("p%d", i)))
		}
		close(stop)
	})
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if owner(&x, "stable") != "stable" {
					t.Error("a key that nobody changed was not found")
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestIndex_lookupAllocatesNothing(t *testing.T) {
	var x Index
	x.Put(makeKey("a", "one"))
	sum, now := apikey.Sum("one"), time.Now()
	if n := testing.AllocsPerRun(100, func() { _ = x.Lookup(sum, now) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAuthenticate(t *testing.T) {
	var x Index
	valid := "vc-sk-0123456789abcdefghijklmnopqrstuvwxyzABCD"
	now := time.Unix(1000, 0)
	x.Put(makeKey("valid", valid))
	revoked, expired := makeKey("revoked", "revoked-key"), makeKey("expired", "expired-key")
	revoked.Revoked, expired.ExpiresAt = true, now
	x.Put(revoked)
	x.Put(expired)
	for name, tc := range map[string]struct {
		header   []string
		wantCode string
	}{
		"valid":                 {header: []string{"Bearer " + valid}},
		"any case":              {header: []string{"bEARER " + valid}},
		"more blanks":           {header: []string{"Bearer   " + valid + " "}},
		"none":                  {wantCode: "invalid_api_key"},
		"unknown":               {header: []string{"Bearer nobody"}, wantCode: "invalid_api_key"},
		"two headers":           {header: []string{"Bearer " + valid, "Bearer " + valid}, wantCode: "invalid_api_key"},
		"no scheme":             {header: []string{valid}, wantCode: "invalid_api_key"},
		"basic":                 {header: []string{"Basic " + valid}, wantCode: "invalid_api_key"},
		"revoked":               {header: []string{"Bearer revoked-key"}, wantCode: "key_revoked"},
		"expired on the second": {header: []string{"Bearer expired-key"}, wantCode: "key_expired"},
	} {
		t.Run(name, func(t *testing.T) {
			caller, e := x.Authenticate(http.Header{"Authorization": tc.header}, now)
			code, key := "", caller.Key
			if e != nil {
				code = e.Code
			}
			if code != tc.wantCode || (key == nil) != (tc.wantCode != "") {
				t.Errorf("key %v, code %q, want %q", key, code, tc.wantCode)
			}
		})
	}
}

func TestAuthenticate_tellsAPreviousKeyFromTheOneInItsPlace(t *testing.T) {
	now := time.Unix(1000, 0)
	later, last := now.Add(time.Hour), now.Add(2*time.Hour)
	for name, tc := range map[string]struct {
		ends map[string]time.Time
		want map[string]bool
	}{
		"one without an end":            {map[string]time.Time{"a": {}}, map[string]bool{"a": false}},
		"one that ends":                 {map[string]time.Time{"a": later}, map[string]bool{"a": false}},
		"one of two that ends":          {map[string]time.Time{"a": {}, "b": later}, map[string]bool{"a": false, "b": true}},
		"the first of two that end":     {map[string]time.Time{"a": last, "b": later}, map[string]bool{"a": false, "b": true}},
		"two that end at once":          {map[string]time.Time{"a": later, "b": later}, map[string]bool{"a": false, "b": false}},
		"two that are valid for longer": {map[string]time.Time{"a": {}, "b": {}, "c": last}, map[string]bool{"a": false, "b": false, "c": true}},
	} {
		t.Run(name, func(t *testing.T) {
			var x Index
			key := makeKey("k")
			for plain, end := range tc.ends {
				key.Hashes = append(key.Hashes, table.KeyHash{Sum: apikey.Sum(plain), NotAfter: end})
			}
			x.Put(key)
			for plain, want := range tc.want {
				caller, e := x.Authenticate(http.Header{"Authorization": {"Bearer " + plain}}, now)
				if e != nil || caller.Key == nil || caller.Previous != want || caller.Sum != apikey.Sum(plain) {
					t.Errorf("%s: %+v, %v, want previous %v", plain, caller, e, want)
				}
			}
		})
	}
}

func FuzzAuthenticate(f *testing.F) {
	f.Add("Bearer x")
	f.Add("bearer\tx")
	var x Index
	x.Put(makeKey("a", "one"))
	f.Fuzz(func(t *testing.T, value string) {
		caller, e := x.Authenticate(http.Header{"Authorization": {value}}, time.Now())
		if (caller.Key == nil) == (e == nil) {
			t.Errorf("%q: key %v, error %v", value, caller.Key, e)
		}
	})
}

func BenchmarkIndexPut(b *testing.B) {
	var x Index
	keys := make([]*table.Key, 10000)
	for i := range keys {
		keys[i] = makeKey(fmt.Sprintf("k%d", i), fmt.Sprintf("p%d", i))
	}
	x.Replace(keys)
	b.ReportAllocs()
	for b.Loop() {
		x.Put(keys[5000])
	}
}
