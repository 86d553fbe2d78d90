package manifests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"vipcloud.ai/vipcloud/gateway/keyring"
)

// onlyRing is the one ring that was handed over.
func (f *fixture) onlyRing() keyring.Ring {
	f.t.Helper()
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	if len(f.sink.rings) != 1 {
		f.t.Fatalf("%d rings were handed over, want one", len(f.sink.rings))
	}
	return f.sink.rings[0]
}

// ringFile is where the ring is kept.
func (f *fixture) ringFile() string { return filepath.Join(f.state, "keyring.json") }

func TestKeyRing_IsMadeOnceAndSurvives(t *testing.T) {
	f := newFixture(t, quickstart())
	f.open(nil)
	first := f.onlyRing()
	info, err := os.Stat(f.ringFile())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v; want 0600", info.Mode(), err)
	}
	sealed, err := first.Seal([]byte("job 1"), nil)
	if err != nil {
		t.Fatal(err)
	}

	f.sink.rings = nil
	s := f.open(nil)
	if second := f.onlyRing(); !second.Equal(first) {
		t.Error("a restart made another ring")
	} else if plain, err := second.Open(sealed, nil); err != nil || string(plain) != "job 1" {
		t.Errorf("a job from before the restart cannot be opened: %v", err)
	}
	s.publish(nil, false)
	f.onlyRing()
	if left, _ := filepath.Glob(filepath.Join(f.state, ".new-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestKeyRing_IsServedBesideAFirstTable(t *testing.T) {
	f := newFixture(t, quickstart())
	f.run()
	f.onlyRing()
}

func TestKeyRing_IsSharedByGatewaysThatBeginTogether(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	rings := make([]keyring.Ring, 16)
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() {
			var err error
			if rings[i], err = (&keyStore{dir: dir}).keyRing(start); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range rings {
		if rings[i].Keys() == nil || !rings[i].Equal(rings[0]) {
			t.Fatalf("gateway %d has another ring", i)
		}
	}
}

func TestKeyRing_OneThatCannotBeReadIsLeftAlone(t *testing.T) {
	f := newFixture(t, quickstart())
	if err := os.MkdirAll(f.state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.ringFile(), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := f.open(clocktesting.NewFakeClock(start))
	if len(f.sink.rings) != 0 {
		t.Error("a ring was handed over")
	}
	if diff := cmp.Diff([]string{"deepseek-v4-pro"}, f.sink.models()); diff != "" {
		t.Errorf("models -want +got:\n%s", diff)
	}
	told := func() bool {
		return slices.ContainsFunc(s.Problems(), func(p Problem) bool {
			return p.File == f.ringFile() && strings.Contains(p.Message, "remove it")
		})
	}
	if !told() || strings.Count(f.log.String(), "Key ring cannot be used") != 1 {
		t.Errorf("problems %v, log %s", s.Problems(), f.log.String())
	}
	if text, err := os.ReadFile(f.ringFile()); err != nil || string(text) != "{}" {
		t.Errorf("the file was changed to %q, %v", text, err)
	}

	clock := s.opts.Clock.(*clocktesting.FakeClock)
	clock.Step(storeRetry)
	reloadNow(t, s)
	if !told() || strings.Count(f.log.String(), "Key ring cannot be used") != 1 {
		t.Errorf("another look: problems %v, log %s", s.Problems(), f.log.String())
	}
	if err := os.Remove(f.ringFile()); err != nil {
		t.Fatal(err)
	}
	clock.Step(storeRetry)
	reloadNow(t, s)
	if told() {
		t.Errorf("after it was removed: %v", s.Problems())
	}
	f.onlyRing()
}

func TestKeyRing_ADirectoryThatCannotBeWrittenCostsJobsOnly(t *testing.T) {
	f := newFixture(t, map[string]string{"route.yaml": routeYAML, "credential.yaml": credentialYAML, "secret.yaml": secretYAML})
	if err := os.WriteFile(f.state, nil, 0o600); err != nil { // a file where the directory should be
		t.Fatal(err)
	}
	s := f.open(nil)
	if len(f.sink.rings) != 0 || len(s.Problems()) != 1 || !slices.Equal(f.sink.models(), []string{"deepseek-v4-pro"}) {
		t.Errorf("%d rings, problems %v, models %v", len(f.sink.rings), s.Problems(), f.sink.models())
	}
}

func TestKeyRing_NobodyWantsIt(t *testing.T) {
	f := newFixture(t, quickstart())
	options := f.options(nil)
	options.Sink.KeyRing = nil
	s, err := open(options, schemas(t))
	if err != nil {
		t.Fatal(err)
	}
	s.publish(nil, true)
	if _, err := os.Stat(f.ringFile()); !os.IsNotExist(err) {
		t.Errorf("a ring was made: %v", err)
	}
}

// writeRing puts a ring in the place of the one that is kept, as a whole.
func (f *fixture) writeRing(text []byte) {
	f.t.Helper()
	if err := (&keyStore{dir: f.state}).write(f.ringFile(), text); err != nil {
		f.t.Fatal(err)
	}
}

// lastRing is the ring that serves, and how many were handed over.
func (f *fixture) lastRing() (keyring.Ring, int) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	if len(f.sink.rings) == 0 {
		return keyring.Ring{}, 0
	}
	return f.sink.rings[len(f.sink.rings)-1], len(f.sink.rings)
}

func TestKeyRing_IsReadAgainInBothPhasesOfARotation(t *testing.T) {
	f := newFixture(t, quickstart())
	f.run()
	first := f.onlyRing()
	added, err := first.Add(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	promoted, err := added.Promote(added.Keys()[1].ID, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for i, next := range []keyring.Ring{added, promoted} {
		f.writeRing(next.Bytes())
		eventually(t, "the ring serves that was written", func() bool {
			ring, n := f.lastRing()
			return ring.Equal(next) && n == i+2
		})
	}
	if n := strings.Count(f.log.String(), "Key ring was read again"); n != 2 {
		t.Errorf("%d lines about the ring in the log:\n%s", n, f.log.String())
	}
}

func TestKeyRing_TheOneInUseOutlivesItsFile(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(f *fixture)
		want  string
	}{
		"gone":            {func(f *fixture) { _ = os.Remove(f.ringFile()) }, "no such file"},
		"garbage":         {func(f *fixture) { f.writeRing([]byte("{")) }, "not a key ring"},
		"a later version": {func(f *fixture) { f.writeRing([]byte(`{"version":2}`)) }, "does not know"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, quickstart())
			s := f.open(clocktesting.NewFakeClock(start))
			first := f.onlyRing()
			tc.spoil(f)
			for range 2 {
				reloadNow(t, s)
				if got := s.Problems(); len(got) != 1 || got[0].File != f.ringFile() || !strings.Contains(got[0].Message, tc.want) {
					t.Errorf("problems %v, want one with %q", got, tc.want)
				}
			}
			if !f.onlyRing().Equal(first) || strings.Count(f.log.String(), "Key ring cannot be used") != 1 {
				t.Errorf("the log says:\n%s", f.log.String())
			}
			if s.ringNext != start.Add(storeRetry) {
				t.Errorf("it is looked for again at %v", s.ringNext)
			}
			f.writeRing(first.Bytes())
			reloadNow(t, s)
			if got := s.Problems(); len(got) != 0 || !s.ringNext.IsZero() || !f.onlyRing().Equal(first) {
				t.Errorf("after it was put back: %v", got)
			}
		})
	}
}

func TestKeyRing_IsReadAgainWhileManifestsAreBroken(t *testing.T) {
	f := newFixture(t, quickstart())
	s := f.open(clocktesting.NewFakeClock(start))
	added, err := f.onlyRing().Add(start)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(f.dir, f.dir+".away"); err != nil {
		t.Fatal(err)
	}
	f.writeRing(added.Bytes())
	reloadNow(t, s)
	if ring, _ := f.lastRing(); !ring.Equal(added) {
		t.Error("the new ring does not serve")
	}
}
