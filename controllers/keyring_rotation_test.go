package controllers

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/keyring"
)

// ringKey describes a key by what it was when.
func ringKey(id uint32, times ...time.Time) keyring.Key {
	k := keyring.Key{ID: id, CreatedAt: times[0]}
	if len(times) > 1 {
		k.PrimarySince = times[1]
	}
	if len(times) > 2 {
		k.PrimaryUntil = times[2]
	}
	return k
}

func TestRingView_plan(t *testing.T) {
	const day = 24 * time.Hour
	at := func(d time.Duration) time.Time { return noon().Add(d) }
	fresh := []keyring.Key{ringKey(1, noon(), noon())}
	waiting := []keyring.Key{ringKey(1, noon(), noon()), ringKey(2, at(90*day))}
	rotated := []keyring.Key{ringKey(1, noon(), noon(), at(90*day)), ringKey(2, at(90*day), at(90*day))}
	both := append(append([]keyring.Key{}, rotated...), ringKey(3, at(100*day)))
	full := make([]keyring.Key, 0, keyring.MaxKeys)
	for i := range keyring.MaxKeys - 1 {
		full = append(full, ringKey(uint32(i), noon(), noon(), at(time.Duration(i+1)*time.Second)))
	}
	full = append(full, ringKey(99, noon(), noon()))

	cases := map[string]struct {
		view ringView
		want ringPlan
	}{
		"a new ring rests for 90 days":     {ringView{keys: fresh, now: noon()}, ringPlan{again: at(90 * day)}},
		"a moment before that it rests":    {ringView{keys: fresh, now: at(90*day - 1)}, ringPlan{again: at(90 * day)}},
		"after 90 days it gets a key":      {ringView{keys: fresh, now: at(90 * day)}, ringPlan{step: stepAdd}},
		"long after them, too":             {ringView{keys: fresh, now: at(900 * day), pickup: pickupNobody}, ringPlan{step: stepAdd}},
		"a trigger adds a key now":         {ringView{keys: fresh, trigger: "b", answered: "a", now: noon()}, ringPlan{step: stepAdd}},
		"a first trigger as well":          {ringView{keys: fresh, trigger: "a", now: noon()}, ringPlan{step: stepAdd}},
		"an answered trigger does not":     {ringView{keys: fresh, trigger: "a", answered: "a", now: noon()}, ringPlan{again: at(90 * day)}},
		"one that was taken back does not": {ringView{keys: fresh, answered: "a", now: noon()}, ringPlan{again: at(90 * day)}},
		"a key waits while nothing is known of the replicas": {
			ringView{keys: waiting, now: at(200 * day)}, ringPlan{}},
		"a key waits while one of them is behind": {
			ringView{keys: waiting, pickup: pickupBehind, now: at(200 * day)}, ringPlan{}},
		"a key is promoted once all have it": {
			ringView{keys: waiting, pickup: pickupComplete, now: at(90 * day)}, ringPlan{step: stepPromote, ids: []uint32{2}}},
		"without replicas it waits for the grace": {
			ringView{keys: waiting, pickup: pickupNobody, now: at(90*day + missingGrace - 1)}, ringPlan{again: at(90*day + missingGrace)}},
		"and is promoted after it": {
			ringView{keys: waiting, pickup: pickupNobody, now: at(90*day + missingGrace)}, ringPlan{step: stepPromote, ids: []uint32{2}}},
		"another trigger waits for the key that waits": {
			ringView{keys: waiting, trigger: "b", answered: "a", pickup: pickupBehind, now: at(90 * day)}, ringPlan{}},
		"an old key opens for 14 days": {
			ringView{keys: rotated, now: at(104*day - 1)}, ringPlan{again: at(104 * day)}},
		"and goes after them": {
			ringView{keys: rotated, now: at(104 * day)}, ringPlan{step: stepRetire, ids: []uint32{1}}},
		"also while another key waits": {
			ringView{keys: both, pickup: pickupBehind, now: at(104 * day)}, ringPlan{step: stepRetire, ids: []uint32{1}}},
		"the end of an old key is remembered while another waits": {
			ringView{keys: both, pickup: pickupBehind, now: at(101 * day)}, ringPlan{again: at(104 * day)}},
		"a full ring waits for room": {
			ringView{keys: full, trigger: "b", now: at(day)}, ringPlan{again: at(14*day + time.Second)}},
		"several old keys go at once": {
			ringView{keys: full[len(full)-3:], now: at(20 * day)}, ringPlan{step: stepRetire, ids: []uint32{61, 62}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.view.plan(), cmp.AllowUnexported(ringPlan{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// ringLife is a ring and replicas that learn of it late, over months.
type ringLife struct {
	t        *testing.T
	clock    *clocktesting.FakeClock
	ring     keyring.Ring
	answered string
	replicas [3]keyring.Ring
	jobs     []sealedJob
	promoted int
}

// sealedJob is an id that some replica gave out.
type sealedJob struct {
	id  []byte
	end time.Time
}

// pickup is how far the replicas are.
func (l *ringLife) pickup() pickup {
	for _, r := range l.replicas {
		if !r.Equal(l.ring) {
			return pickupBehind
		}
	}
	return pickupComplete
}

// step does what is planned.
func (l *ringLife) step(trigger string) {
	v := ringView{keys: l.ring.Keys(), trigger: trigger, answered: l.answered, pickup: l.pickup(), now: l.clock.Now()}
	plan := v.plan()
	switch plan.step {
	case stepNone:
		if !plan.again.IsZero() && !plan.again.After(v.now) {
			l.t.Fatalf("the next look is due at %v, which is not after %v", plan.again, v.now)
		}
		return
	case stepAdd:
		if trigger != "" {
			l.answered = trigger
		}
	case stepPromote:
		l.promoted++
	case stepRetire:
	}
	next, err := plan.apply(l.ring, v.now)
	if err != nil {
		l.t.Fatalf("%s: %v", plan.step, err)
	}
	l.ring = next
}

// ask lets every replica seal a job, and open those that run.
func (l *ringLife) ask() {
	now := l.clock.Now()
	running := l.jobs[:0]
	for _, job := range l.jobs {
		if !now.Before(job.end) {
			continue
		}
		running = append(running, job)
		for i, r := range l.replicas {
			if _, err := r.Open(job.id, nil); err != nil {
				l.t.Fatalf("at %v replica %d cannot open a job that runs until %v", now, i, job.end)
			}
		}
	}
	l.jobs = running
	for _, r := range l.replicas {
		id, err := r.Seal([]byte("job"), nil)
		if err != nil {
			l.t.Fatal(err)
		}
		l.jobs = append(l.jobs, sealedJob{id: id, end: now.Add(7 * 24 * time.Hour)})
	}
}

func TestRotation_NoJobIsLostWhileReplicasLag(t *testing.T) {
	clock := clocktesting.NewFakeClock(noon())
	ring, err := keyring.NewAt(clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	l := &ringLife{t: t, clock: clock, ring: ring, replicas: [3]keyring.Ring{ring, ring, ring}}
	for hour := range 24 * 400 {
		clock.Step(time.Hour)
		l.step(fmt.Sprint("trigger ", hour/1000))
		l.replicas[0] = l.ring
		if hour%5 == 0 {
			l.replicas[1] = l.ring
		}
		if hour%100 == 99 { // the one that cannot reach the API server for days
			l.replicas[2] = l.ring
		}
		if hour%6 == 0 {
			l.ask()
		}
	}
	if l.promoted < 10 || len(l.ring.Keys()) > 3 {
		t.Errorf("%d promotions, and %d keys are left; want 10 at least, and no more than 3", l.promoted, len(l.ring.Keys()))
	}
}

func TestRingPlan_NoStepIsAnError(t *testing.T) {
	if _, err := (ringPlan{}).apply(keyring.Ring{}, noon()); err == nil {
		t.Error("doing nothing made a ring")
	}
}

func TestRotationAsked_TellsTheAnnotationFromOthers(t *testing.T) {
	annotated := func(key, value string) *v1alpha1.GatewayInstance {
		return &v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{key: value}}}
	}
	const rotate = "vipcloud.ai/rotate-keyring"
	cases := map[string]struct {
		before, after *v1alpha1.GatewayInstance
		want          bool
	}{
		"set":       {&v1alpha1.GatewayInstance{}, annotated(rotate, "1"), true},
		"changed":   {annotated(rotate, "1"), annotated(rotate, "2"), true},
		"as it was": {annotated(rotate, "1"), annotated(rotate, "1"), false},
		"another":   {annotated("a", "1"), annotated("a", "2"), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := rotationAsked().Update(event.UpdateEvent{ObjectOld: tc.before, ObjectNew: tc.after}); got != tc.want {
				t.Errorf("%t, want %t", got, tc.want)
			}
		})
	}
}
