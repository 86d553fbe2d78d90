package controllers

import (
	"fmt"
	"time"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	// defaultOverlap is how long a replaced key stays valid.
	defaultOverlap = 24 * time.Hour
	// minEvery bounds rotation.every from below: a shorter one would only wear out the cluster.
	minEvery = time.Minute
	// maxRotation bounds rotation.every and rotation.overlap from above, ten years.
	maxRotation = 10 * 365 * 24 * time.Hour
)

// rotation is spec.rotation, parsed. every is zero for never.
type rotation struct {
	every, overlap time.Duration
	trigger        string
	// paused keeps a key that is refused anyway from being replaced.
	paused bool
}

// rotationOf parses spec.rotation. A problem says which field cannot be used.
func rotationOf(ak *v1alpha1.ApiKey) (rotation, *table.Problem) {
	out := rotation{overlap: defaultOverlap, paused: ak.Spec.Revoked}
	spec := ak.Spec.Rotation
	if spec == nil {
		return out, nil
	}
	out.trigger = spec.Trigger
	if spec.Every != "" {
		every, err := time.ParseDuration(string(spec.Every))
		if err != nil || every < minEvery || every > maxRotation {
			return out, invalidRotation("every", spec.Every, minEvery)
		}
		out.every = every
	}
	if spec.Overlap != "" {
		overlap, err := time.ParseDuration(string(spec.Overlap))
		if err != nil || overlap < 0 || overlap > maxRotation {
			return out, invalidRotation("overlap", spec.Overlap, 0)
		}
		out.overlap = overlap
	}
	return out, nil
}

// invalidRotation is the problem of a duration that cannot be used.
func invalidRotation(field string, value v1alpha1.Duration, least time.Duration) *table.Problem {
	return &table.Problem{Severity: table.Invalid, Reason: v1alpha1.ReasonInvalid,
		Message: fmt.Sprintf("rotation.%s is %q; set it to a duration from %s to %s, such as 720h", field, value, least, maxRotation)}
}

// keyRecord is what the annotations of a key Secret remember.
type keyRecord struct {
	// current is the hash of the key that the Secret was last seen with, empty before the first look.
	current   string
	createdAt time.Time
	// previous is the hash of the key before, valid until previousEnd; empty for none.
	previous    string
	previousEnd time.Time
	trigger     string
}

// recordOf reads annotations. What cannot be read counts as absent.
func recordOf(annotations map[string]string) keyRecord {
	r := keyRecord{
		current:     hashOrNone(annotations[v1alpha1.AnnotationCurrentHash]),
		createdAt:   timeOrNone(annotations[v1alpha1.AnnotationCreatedAt]),
		previous:    hashOrNone(annotations[v1alpha1.AnnotationPreviousHash]),
		previousEnd: timeOrNone(annotations[v1alpha1.AnnotationPreviousNotAfter]),
		trigger:     annotations[v1alpha1.AnnotationTrigger],
	}
	if r.previousEnd.IsZero() {
		r.previous = ""
	}
	return r
}

// hashOrNone returns a hash, or nothing if it is none.
func hashOrNone(s string) string {
	h, err := apikey.ParseHash(s)
	if err != nil {
		return ""
	}
	return h.String()
}

// timeOrNone returns a moment, or none if it cannot be read.
func timeOrNone(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// annotate writes the record into annotations.
func (r keyRecord) annotate(annotations map[string]string) {
	for name, value := range map[string]string{
		v1alpha1.AnnotationCurrentHash:      r.current,
		v1alpha1.AnnotationCreatedAt:        formatTime(r.createdAt),
		v1alpha1.AnnotationPreviousHash:     r.previous,
		v1alpha1.AnnotationPreviousNotAfter: formatTime(r.previousEnd),
		v1alpha1.AnnotationTrigger:          r.trigger,
	} {
		if value == "" {
			delete(annotations, name)
		} else {
			annotations[name] = value
		}
	}
}

// formatTime writes a moment, nothing for none.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// next returns the record for a Secret that holds the key of this hash now, and whether that key must be replaced.
func (r keyRecord) next(hash string, timing rotation, now time.Time) (keyRecord, bool) {
	now = now.Truncate(time.Second)
	switch {
	case r.current == "":
		// A Secret that somebody prepared or that was kept: what it holds is the key, and answers the present trigger.
		r.current, r.trigger = hash, timing.trigger
	case r.current != hash:
		r = r.replaced(hash, timing, now)
	}
	if r.createdAt.IsZero() {
		r.createdAt = now
	}
	if !now.Before(r.previousEnd) || r.previous == r.current {
		r.previous, r.previousEnd = "", time.Time{}
	}
	if timing.paused {
		return r, false
	}
	triggered := timing.trigger != "" && timing.trigger != r.trigger
	aged := timing.every > 0 && !now.Before(r.createdAt.Add(timing.every))
	if triggered || aged {
		return r, true
	}
	r.trigger = timing.trigger
	return r, false
}

// replaced returns the record after a new key has taken the place of the current one, which stays valid for the overlap.
func (r keyRecord) replaced(hash string, timing rotation, now time.Time) keyRecord {
	now = now.Truncate(time.Second)
	next := keyRecord{current: hash, createdAt: now, trigger: timing.trigger}
	if timing.overlap > 0 && r.current != "" {
		next.previous, next.previousEnd = r.current, now.Add(timing.overlap)
	}
	return next
}

// hashes are what the gateway accepts: the current key first, then the one before.
func (r keyRecord) hashes() []v1alpha1.KeyHash {
	hashes := []v1alpha1.KeyHash{{SHA256: r.current}}
	if r.previous != "" {
		hashes = append(hashes, v1alpha1.KeyHash{SHA256: r.previous, NotAfter: timePtr(r.previousEnd)})
	}
	return hashes
}

// nextRotation is when the key will be replaced, zero for never.
func (r keyRecord) nextRotation(timing rotation) time.Time {
	if timing.every == 0 || timing.paused {
		return time.Time{}
	}
	return r.createdAt.Add(timing.every)
}
