package manifests

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/table"
)

// start is when the clocks of these tests begin.
var start = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// withSpec is an ApiKey with a spec in flow style.
func withSpec(spec string) string { return strings.Replace(keyYAML, "spec: {}", "spec: "+spec, 1) }

// plain reads the file of the key default/dev.
func plain(t *testing.T, f *fixture) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(f.state, "default", "dev.key"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

// hashes are those of a key, as hash to end.
func hashes(k *table.Key) map[apikey.Hash]time.Time {
	all := map[apikey.Hash]time.Time{}
	if k != nil {
		for _, h := range k.Hashes {
			all[h.Sum] = h.NotAfter
		}
	}
	return all
}

// expect compares the hashes that serve.
func (f *fixture) expect(what string, want map[apikey.Hash]time.Time) {
	f.t.Helper()
	if diff := cmp.Diff(want, hashes(f.sink.key("default/dev"))); diff != "" {
		f.t.Errorf("%s: hashes and their ends (-want +got):\n%s", what, diff)
	}
}

func TestKeys_generatedOnesSurvive(t *testing.T) {
	f := newFixture(t, quickstart())
	f.open(nil)
	first := plain(t, f)
	f.open(nil)
	if got := plain(t, f); got != first {
		t.Error("a restart made another key")
	}
	f.expect("after a restart", map[apikey.Hash]time.Time{apikey.Sum(first): {}})
	for path, want := range map[string]os.FileMode{"": 0o700, "default": 0o700, "default/dev.key": 0o600, "default/dev.json": 0o600} {
		info, err := os.Stat(filepath.Join(f.state, path))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%q has mode %o, want %o", path, got, want)
		}
	}
	if raw, err := os.ReadFile(filepath.Join(f.state, "default", "dev.json")); err != nil || strings.Contains(string(raw), first) {
		t.Errorf("the memory holds the key itself: %v", err)
	}
	if files, _, err := ListFiles(f.dir); err != nil || len(files) != len(quickstart()) {
		t.Errorf("the directory of manifests has %v: %v", files, err)
	}
}

func TestKeys_rotation(t *testing.T) {
	c := clocktesting.NewFakeClock(start)
	f := newFixture(t, quickstart())
	s := f.open(c)
	first := plain(t, f)

	f.write("key.yaml", withSpec(`{rotation: {trigger: a, overlap: 2h}}`))
	c.Step(time.Hour)
	reloadNow(t, s)
	second := plain(t, f)
	if second == first {
		t.Fatal("a trigger did not rotate the key")
	}
	end := start.Add(3 * time.Hour)
	f.expect("after the trigger", map[apikey.Hash]time.Time{apikey.Sum(second): {}, apikey.Sum(first): end})

	s = f.open(c)
	f.expect("after a restart", map[apikey.Hash]time.Time{apikey.Sum(second): {}, apikey.Sum(first): end})

	f.write("key.yaml", withSpec(`{rotation: {overlap: 2h}}`))
	c.Step(2 * time.Hour)
	reloadNow(t, s)
	if plain(t, f) != second {
		t.Error("taking the trigger away rotated the key")
	}
	f.expect("after the overlap", map[apikey.Hash]time.Time{apikey.Sum(second): {}})

	f.write("key.yaml", withSpec(`{rotation: {every: 24h, overlap: 30m}}`))
	reloadNow(t, s)
	if want := start.Add(time.Hour + 24*time.Hour); !s.next.Equal(want) {
		t.Fatalf("the next look is at %v, want %v", s.next, want)
	}
	c.SetTime(s.next)
	reloadNow(t, s) // no file changed
	third := plain(t, f)
	if third == second {
		t.Fatal("age did not rotate the key")
	}
	f.expect("after its time", map[apikey.Hash]time.Time{apikey.Sum(third): {}, apikey.Sum(second): c.Now().Add(30 * time.Minute)})
}

func TestKeys_triggerOfANewKeyDoesNotRotateIt(t *testing.T) {
	files := quickstart()
	files["key.yaml"] = withSpec(`{rotation: {trigger: a}}`)
	f := newFixture(t, files)
	f.open(nil)
	first := plain(t, f)
	f.open(nil)
	f.expect("after a restart", map[apikey.Hash]time.Time{apikey.Sum(first): {}})
}

func TestKeys_fileThatSomebodyEdits(t *testing.T) {
	mine := "vc-sk-0123456789012345678901234567890123456789"
	cases := map[string]struct {
		do      func(path string) error
		want    func(first, now string) map[apikey.Hash]time.Time
		problem string
	}{
		"another key: adopted, the old one overlaps": {
			do: func(path string) error { return os.WriteFile(path, []byte(mine+"\n"), 0o600) },
			want: func(first, _ string) map[apikey.Hash]time.Time {
				return map[apikey.Hash]time.Time{apikey.Sum(mine): {}, apikey.Sum(first): start.Add(defaultOverlap)}
			},
		},
		"deleted: a new key, the old one ends at once": {
			do: os.Remove,
			want: func(_, now string) map[apikey.Hash]time.Time {
				return map[apikey.Hash]time.Time{apikey.Sum(now): {}}
			},
		},
		"no key: a problem, and nothing serves": {
			do:      func(path string) error { return os.WriteFile(path, []byte("short"), 0o600) },
			want:    func(_, _ string) map[apikey.Hash]time.Time { return map[apikey.Hash]time.Time{} },
			problem: "dev.key is no key: it needs 32 to 512 printable characters",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, quickstart())
			f.open(clocktesting.NewFakeClock(start))
			first := plain(t, f)
			if err := tc.do(filepath.Join(f.state, "default", "dev.key")); err != nil {
				t.Fatal(err)
			}
			s := f.open(clocktesting.NewFakeClock(start))
			f.expect("after a restart", tc.want(first, plain(t, f)))
			if got := strings.Join(messages(f, s.Problems()), "\n"); (tc.problem == "") != (got == "") || !strings.Contains(got, tc.problem) {
				t.Errorf("problems %q, want %q", got, tc.problem)
			}
		})
	}
}

func TestKeys_sources(t *testing.T) {
	brought := "a-key-that-was-brought-and-is-long-enough"
	secret := func(value string) string {
		return "---\napiVersion: v1\nkind: Secret\nmetadata: {name: brought}\nstringData: {token: \"" + value + "\"}\n"
	}
	hash := apikey.Sum("x").String()
	cases := map[string]struct {
		key     string
		want    map[apikey.Hash]time.Time
		problem string
	}{
		"a Secret":               {key: withSpec(`{source: {type: SecretRef, secretRef: {name: brought, key: token}}}`) + secret(brought), want: map[apikey.Hash]time.Time{apikey.Sum(brought): {}}},
		"a Secret that is short": {key: withSpec(`{source: {type: SecretRef, secretRef: {name: brought, key: token}}}`) + secret("short"), problem: `entry "token" of Secret "brought" is no key`},
		"a Secret without entry": {key: withSpec(`{source: {type: SecretRef, secretRef: {name: brought, key: other}}}`) + secret(brought), problem: `Secret "brought" has no entry "other"; add it`},
		"no Secret":              {key: withSpec(`{source: {type: SecretRef, secretRef: {name: brought, key: token}}}`), problem: `Secret "brought" is not among the manifests; add it`},
		"hashes": {key: withSpec(`{source: {type: Hashes, hashes: [{sha256: ` + hash + `, notAfter: "2027-01-01T00:00:00Z"}]}}`),
			want: map[apikey.Hash]time.Time{apikey.Sum("x"): time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"a key of an instance that is not there": {key: withSpec(`{gatewayRef: {name: other}}`), problem: "GatewayInstance default/other does not exist"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, map[string]string{"key.yaml": tc.key})
			s := f.open(nil)
			if tc.want == nil {
				tc.want = map[apikey.Hash]time.Time{}
			}
			f.expect("from files", tc.want)
			if got := strings.Join(messages(f, s.Problems()), "\n"); (tc.problem == "") != (got == "") || !strings.Contains(got, tc.problem) {
				t.Errorf("problems %q, want %q", got, tc.problem)
			}
			if len(s.GeneratedKeys()) != 0 {
				t.Errorf("keys were generated: %v", s.GeneratedKeys())
			}
		})
	}
}

func TestKeys_replacedSecretOverlaps(t *testing.T) {
	old, replaced := strings.Repeat("a", 40), strings.Repeat("b", 40)
	text := func(value string) map[string]string {
		return map[string]string{"key.yaml": withSpec(`{source: {type: SecretRef, secretRef: {name: s, key: k}}, rotation: {overlap: 1h}}`) +
			"---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: " + value + "}\n"}
	}
	f := newFixture(t, text(old))
	f.open(clocktesting.NewFakeClock(start))
	f.write("key.yaml", text(replaced)["key.yaml"])
	f.open(clocktesting.NewFakeClock(start))
	f.expect("after the value was replaced", map[apikey.Hash]time.Time{apikey.Sum(replaced): {}, apikey.Sum(old): start.Add(time.Hour)})
}

func TestKeys_deletedApiKey(t *testing.T) {
	cases := map[string]struct {
		spec string
		back time.Duration // when the manifest comes back
		same bool
	}{
		"that comes back soon keeps its key":           {spec: "{}", back: forgetAfter - time.Second, same: true},
		"that comes back late gets another key":        {spec: "{}", back: forgetAfter, same: false},
		"that asked to retain its key gets it back":    {spec: "{source: {type: Generated, generated: {deletionPolicy: Retain}}}", back: time.Hour, same: true},
		"that says Delete in words gets another, late": {spec: "{source: {type: Generated, generated: {deletionPolicy: Delete}}}", back: time.Hour, same: false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			files := quickstart()
			files["key.yaml"] = withSpec(tc.spec)
			c := clocktesting.NewFakeClock(start)
			f := newFixture(t, files)
			s := f.open(c)
			first := plain(t, f)
			f.remove("key.yaml")
			reloadNow(t, s)
			if f.sink.key("default/dev") != nil {
				t.Fatal("the key of a deleted ApiKey serves")
			}
			c.Step(tc.back)
			reloadNow(t, s)
			f.write("key.yaml", files["key.yaml"])
			reloadNow(t, s)
			if got := plain(t, f) == first; got != tc.same {
				t.Errorf("it has the same key: %v, want %v", got, tc.same)
			}
		})
	}
	t.Run("while nobody looked keeps its key", func(t *testing.T) {
		f := newFixture(t, quickstart())
		f.open(clocktesting.NewFakeClock(start))
		first := plain(t, f)
		f.remove("key.yaml")
		s := f.open(clocktesting.NewFakeClock(start.Add(time.Hour)))
		f.write("key.yaml", keyYAML)
		reloadNow(t, s)
		if plain(t, f) != first {
			t.Error("the key was thrown away")
		}
	})
}

func TestKeys_stateThatCannotBeUsed(t *testing.T) {
	f := newFixture(t, quickstart())
	if err := os.WriteFile(f.state, []byte("a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := f.open(clocktesting.NewFakeClock(start))
	if got := messages(f, s.Problems()); len(got) != 2 || !strings.Contains(got[0], "key ring") || !strings.Contains(got[1], "ApiKey default/dev") {
		t.Errorf("problems %q", got)
	}
	if !s.next.Equal(start.Add(storeRetry)) {
		t.Errorf("the next look is at %v, want after %v", s.next, storeRetry)
	}
	if err := os.Remove(f.state); err != nil {
		t.Fatal(err)
	}
	s.opts.Clock.(*clocktesting.FakeClock).Step(storeRetry)
	reloadNow(t, s)
	if f.sink.key("default/dev") == nil || len(s.Problems()) != 0 {
		t.Errorf("after it can be used again: problems %v", s.Problems())
	}
}

func TestKeys_gatewaysWithOneStateDirectoryMakeOneKey(t *testing.T) {
	f, checks := newFixture(t, quickstart()), schemas(t)
	gateways := make([]*Source, 8)
	sinks := make([]*sink, len(gateways))
	together := func(do func(i int)) {
		var wg sync.WaitGroup
		for i := range gateways {
			wg.Go(func() { do(i) })
		}
		wg.Wait()
	}
	served := func(what string, hashes int) {
		t.Helper()
		sum := apikey.Sum(plain(t, f))
		for i := range sinks {
			if k := sinks[i].key("default/dev"); k == nil || k.Hashes[0].Sum != sum || len(k.Hashes) != hashes {
				t.Errorf("%s: gateway %d serves %+v, not the key in the file", what, i, k)
			}
		}
	}
	together(func(i int) {
		sinks[i] = &sink{}
		options := f.options(clocktesting.NewFakeClock(start))
		options.Sink = source.Sink{Table: sinks[i].table, Keys: sinks[i]}
		var err error
		if gateways[i], err = open(options, checks); err != nil {
			t.Error(err)
			return
		}
		gateways[i].publish(nil, true)
	})
	served("made", 1)
	f.write("key.yaml", withSpec("{rotation: {trigger: now}}"))
	together(func(i int) { reloadNow(t, gateways[i]) })
	served("rotated", 2)
}
