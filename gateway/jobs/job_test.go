package jobs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/jobs"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// start is when the tests' jobs are made.
var start = time.Unix(1_800_000_000, 0)

// newRing returns a key ring.
func newRing(tb testing.TB) *keyring.Ring {
	tb.Helper()
	ring, err := keyring.New()
	if err != nil {
		tb.Fatal(err)
	}
	return &ring
}

// sample is a job with every member set.
func sample() *jobs.Job {
	return &jobs.Job{
		Modality: provider.ModalityVideo, Owner: "shop/web", Model: "seedance-2", Credential: "vipcloud-system/ark",
		Endpoint: "https://ark.cn-beijing.volces.com", Protocol: "New", UpstreamModel: "doubao-seedance-2-0-260128",
		Task: provider.Task{ID: "cgt-20261122-abcde", State: "image2video"}, Created: start.Unix(), Deadline: start.Add(48 * time.Hour).Unix(),
		Billing:  provider.Billing{Seconds: 10, Resolution: "1080p", Audio: true},
		Prices:   jobs.Prices{Currency: "USD", PerRequest: 1, PerSecond: 370_000_000_000, PerVideo: 2, PerSong: 3},
		Warnings: []string{"seed is not supported and was left out"}, RetryAfter: 5, Proxied: true,
	}
}

// seal seals, or fails the test.
func seal(tb testing.TB, ring *keyring.Ring, j *jobs.Job) string {
	tb.Helper()
	id, err := jobs.Seal(ring, j)
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

func TestOpen_givesBackWhatWasSealed(t *testing.T) {
	ring := newRing(t)
	id := seal(t, ring, sample())
	if strings.ContainsAny(id, "/+=?&# ") || len(id) > 700 {
		t.Errorf("an id of %d characters does not fit a path: %s", len(id), id)
	}
	got, err := jobs.Open(ring, id, "shop/web", start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), got); diff != "" {
		t.Errorf("job (-want +got):\n%s", diff)
	}
	if seal(t, ring, sample()) == id {
		t.Error("two ids of one job are equal")
	}
}

func TestOpen_refusesEverythingElseAlike(t *testing.T) {
	ring := newRing(t)
	id := seal(t, ring, sample())
	lastChanged := id[:len(id)-1] + string("AB"[strings.Count(id[len(id)-1:], "A")])
	for name, tc := range map[string]struct {
		ring  *keyring.Ring
		id    string
		owner string
		now   time.Time
	}{
		"another owner":      {ring, id, "shop/app", start},
		"no owner":           {ring, id, "", start},
		"a week too late":    {ring, id, "shop/web", start.Add((48 + 7*24 + 1) * time.Hour)},
		"another ring":       {newRing(t), id, "shop/web", start},
		"no ring":            {nil, id, "shop/web", start},
		"a changed last bit": {ring, lastChanged, "shop/web", start},
		"a changed first":    {ring, strings.Replace(id, "job1_", "job1_A", 1), "shop/web", start},
		"another format":     {ring, strings.Replace(id, "job1_", "job2_", 1), "shop/web", start},
		"cut":                {ring, id[:len(id)-5], "shop/web", start},
		"padded":             {ring, id + "=", "shop/web", start},
		"empty":              {ring, "", "shop/web", start},
		"endless":            {ring, "job1_" + strings.Repeat("A", 1<<20), "shop/web", start},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := jobs.Open(tc.ring, tc.id, tc.owner, tc.now); !errors.Is(err, jobs.ErrNotFound) || err.Error() != jobs.ErrNotFound.Error() {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOpen_anOldKeyOpensAfterRotation(t *testing.T) {
	ring := newRing(t)
	id := seal(t, ring, sample())
	added, err := ring.Add(start)
	if err != nil {
		t.Fatal(err)
	}
	keys := added.Keys()
	promoted, err := added.Promote(keys[len(keys)-1].ID, start)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jobs.Open(&promoted, id, "shop/web", start); err != nil {
		t.Errorf("after rotation: %v", err)
	}
	// What the new key seals is opened by a replica that still has the ring of the first phase.
	if _, err := jobs.Open(&added, seal(t, &promoted, sample()), "shop/web", start); err != nil {
		t.Errorf("between the phases: %v", err)
	}
	if _, err := jobs.Open(ring, seal(t, &promoted, sample()), "shop/web", start); err == nil {
		t.Error("a ring opens what a key seals that it does not have")
	}
}

func TestHash_doesNotTellTheID(t *testing.T) {
	if a, b := jobs.Hash("job1_a"), jobs.Hash("job1_b"); a == b || len(a) != 32 || a != jobs.Hash("job1_a") {
		t.Errorf("hashes %s, %s", a, b)
	}
}

func FuzzOpen(f *testing.F) {
	ring := newRing(f)
	f.Add(seal(f, ring, sample()))
	f.Add("job1_AAAA")
	f.Fuzz(func(t *testing.T, id string) {
		if j, err := jobs.Open(ring, id, "shop/web", start); err == nil && j.Owner != "shop/web" {
			t.Errorf("opened %+v", j)
		}
	})
}
