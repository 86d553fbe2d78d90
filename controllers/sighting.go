package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"vipcloud.ai/vipcloud/gateway/table"
)

// sighting is when the operator first saw the present content of an object.
type sighting struct {
	uid types.UID
	// token is the content: the generation, and for keys the hashes that the status publishes.
	token string
	// version is the resource version of the first sight. A replica that has loaded as much serves that content.
	version string
	// changed is when the content changed under the operator's eyes, zero for an object that it found so.
	changed time.Time
	// at is when it was first seen, by the operator's clock.
	at time.Time
}

// sightings remembers the present content of every object that is waited for. After a restart the versions found then count,
// which are at least as new. It is safe for concurrent use.
type sightings struct {
	clock clock.PassiveClock

	mu    sync.Mutex
	byRef map[table.ObjectRef]sighting
}

// newSightings makes an empty memory.
func newSightings(c clock.PassiveClock) *sightings {
	return &sightings{clock: c, byRef: map[table.ObjectRef]sighting{}}
}

// see notes what an object looks like and returns when that was first seen.
func (s *sightings) see(ref table.ObjectRef, uid types.UID, token, version string) sighting {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.byRef[ref]
	if known && old.uid == uid && old.token == token {
		return old
	}
	now := sighting{uid: uid, token: token, version: version, at: s.clock.Now()}
	if known && old.uid == uid {
		now.changed = now.at
	}
	s.byRef[ref] = now
	return now
}

// since is when the present content of an object was first seen; zero if it was not.
func (s *sightings) since(ref table.ObjectRef) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byRef[ref].at
}

// forget drops an object that is gone.
func (s *sightings) forget(ref table.ObjectRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byRef, ref)
}
