package controllers

import (
	"fmt"
	"slices"
	"time"

	"vipcloud.ai/vipcloud/gateway/keyring"
)

const (
	// keyRingEvery is how long a key seals before another one takes its place.
	keyRingEvery = 90 * 24 * time.Hour
	// keyRingRetention is how long a key opens after it stopped sealing: the longest deadline of a job, 7 days, plus the 7 days in
	// which a job can be asked for after its deadline. A replica that cannot reach the API server and goes on sealing with the old
	// key for some days takes them from the second week.
	keyRingRetention = 14 * 24 * time.Hour
)

// pickup is how far the replicas of an instance are with the ring that its Secret holds.
type pickup int

const (
	// pickupUnknown: the compiled Secret does not hold this ring yet, or replicas were not counted.
	pickupUnknown pickup = iota
	// pickupNobody: no replica is ready.
	pickupNobody
	// pickupBehind: some ready replica has not loaded it.
	pickupBehind
	// pickupComplete: every ready replica has loaded it, and there is one.
	pickupComplete
)

// ringView is what the next step of a rotation is decided by.
type ringView struct {
	keys []keyring.Key
	// trigger is what the instance asks for, answered what the ring was last rotated for.
	trigger, answered string
	pickup            pickup
	now               time.Time
}

// ringStep is a step of a rotation.
type ringStep int

const (
	stepNone ringStep = iota
	stepAdd
	stepPromote
	stepRetire
)

// ringPlan is what to do with a ring now.
type ringPlan struct {
	step ringStep
	// ids are the keys to promote or to retire.
	ids []uint32
	// again is when, with stepNone, something is due that no event tells of; zero: never.
	again time.Time
}

// plan decides the next step. One is done at a time: the ring that comes of it has to reach the replicas first.
func (v ringView) plan() ringPlan {
	ended, nextEnd := v.ended()
	pending := slices.IndexFunc(v.keys, keyring.Key.Pending)
	switch {
	case len(ended) > 0:
		return ringPlan{step: stepRetire, ids: ended}
	case pending >= 0:
		promote, again := v.promotable(v.keys[pending])
		if promote {
			return ringPlan{step: stepPromote, ids: []uint32{v.keys[pending].ID}}
		}
		return ringPlan{again: earliest(nextEnd, again)}
	case len(v.keys) >= keyring.MaxKeys:
		return ringPlan{again: nextEnd}
	}
	due := v.rotation()
	if v.triggered() || !v.now.Before(due) {
		return ringPlan{step: stepAdd}
	}
	return ringPlan{again: earliest(nextEnd, due)}
}

// triggered says whether a rotation was asked for that has not begun. Taking the question back asks for nothing.
func (v ringView) triggered() bool { return v.trigger != "" && v.trigger != v.answered }

// rotation is when the primary key has sealed for long enough.
func (v ringView) rotation() time.Time {
	primary := v.keys[slices.IndexFunc(v.keys, keyring.Key.Primary)]
	return primary.PrimarySince.Add(keyRingEvery)
}

// ended are the keys that nothing is sealed with any more that anybody may ask for, and next is when another one will be
// (zero: none is about to).
func (v ringView) ended() (ids []uint32, next time.Time) {
	for _, k := range v.keys {
		if k.PrimaryUntil.IsZero() {
			continue
		}
		if end := k.PrimaryUntil.Add(keyRingRetention); v.now.Before(end) {
			next = earliest(next, end)
		} else {
			ids = append(ids, k.ID)
		}
	}
	return ids, next
}

// promotable says whether a key may seal: everybody who may be asked to open what it sealed must have it. Without any ready
// replica there is nobody to wait for, but after a grace for those that are starting. again is when that changes by itself.
func (v ringView) promotable(k keyring.Key) (promote bool, again time.Time) {
	switch v.pickup {
	case pickupComplete:
		return true, time.Time{}
	case pickupNobody:
		end := k.CreatedAt.Add(missingGrace)
		return !v.now.Before(end), end
	default:
		return false, time.Time{}
	}
}

// apply does what is planned.
func (p ringPlan) apply(ring keyring.Ring, now time.Time) (keyring.Ring, error) {
	switch p.step {
	case stepAdd:
		return ring.Add(now)
	case stepPromote:
		return ring.Promote(p.ids[0], now)
	case stepRetire:
		return ring.Retire(p.ids...)
	default:
		return keyring.Ring{}, fmt.Errorf("no such step: %d", p.step)
	}
}

// String is the step in the words of a log.
func (s ringStep) String() string {
	return [...]string{"none", "add", "promote", "retire"}[s]
}
