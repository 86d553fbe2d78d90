package controllers

import (
	"errors"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

func TestApiKey_Rotation(t *testing.T) {
	w := keyWorld(t)
	key := w.key("shop", func(ak *v1alpha1.ApiKey) {
		ak.Spec.Rotation = &v1alpha1.ApiKeyRotation{Every: "720h", Overlap: "24h", Trigger: "one"}
	})
	w.ready(key)
	_, first := w.plain("shop")
	w.publishes(key, first)
	if next := key.Status.NextRotation; next == nil || next.Sub(key.Status.CreatedAt.Time) != 720*time.Hour {
		t.Errorf("created %v, next rotation %v", key.Status.CreatedAt, key.Status.NextRotation)
	}

	// By trigger.
	w.change(key, func() { key.Spec.Rotation.Trigger = "two" })
	second := w.rotated(first)
	w.publishes(key, second, first)
	w.ready(key)

	// By age, which is no new generation: the key stays Ready throughout.
	w.clock.step(720 * time.Hour)
	w.poke(v1alpha1.KindApiKey, key)
	third := w.rotated(second)
	w.publishes(key, third, second)
	w.never("falling back", func() error {
		w.get(key)
		return matchConditions(key, expect{"Ready": "True/Ready"})
	})

	// The overlap ends.
	w.clock.step(24 * time.Hour)
	w.poke(v1alpha1.KindApiKey, key)
	w.publishes(key, third)

	// What the Secret says survives the loss of the status.
	w.change(key, func() { key.Spec.Rotation.Trigger = "three" })
	fourth := w.rotated(third)
	w.publishes(key, fourth, third)
	w.stop()
	w.eventually("losing the status", func() error {
		w.get(key)
		key.Status = v1alpha1.ApiKeyStatus{ObservedGeneration: -1}
		return w.Status().Update(w.ctx, key)
	})
	w.start(nil)
	w.publishes(key, fourth, third)
	w.ready(key)
}

// rotated waits until Secret shop holds another key and returns it.
func (w *world) rotated(from string) string {
	w.t.Helper()
	var plain string
	w.eventually("rotation", func() error {
		if _, plain = w.plain("shop"); plain == from {
			return errors.New("it is still the old key")
		}
		return nil
	})
	return plain
}

func TestApiKey_RotationIsExactAboutItsNextDeadline(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	key := w.key("shop", func(ak *v1alpha1.ApiKey) {
		ak.Spec.Rotation = &v1alpha1.ApiKeyRotation{Every: "1m", Overlap: "1s"}
	})
	_, first := w.plain("shop")
	w.publishes(key, first)
	// The requeue that was asked for then is in real time; no event comes.
	w.clock.step(58 * time.Second)
	w.poke(v1alpha1.KindApiKey, key)
	second := w.rotated(first)
	w.publishes(key, second)
}
