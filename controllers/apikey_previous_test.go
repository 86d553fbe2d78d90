package controllers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/ledger"
)

func TestApiKey_PreviousKeyInUseSaysWhetherTheOldKeyCanBeDropped(t *testing.T) {
	w := keyWorld(t)
	key := w.key("shop", func(ak *v1alpha1.ApiKey) { ak.Spec.Rotation = &v1alpha1.ApiKeyRotation{Overlap: "24h", Trigger: "one"} })
	w.ready(key)
	w.expectConditions(key, expect{"PreviousKeyInUse": ""})
	_, first := w.plain("shop")
	w.change(key, func() { key.Spec.Rotation.Trigger = "two" })
	second := w.rotated(first)
	w.expectConditions(key, expect{"PreviousKeyInUse": "False/NotUsed", "Ready": "True/Ready"})

	u := w.usage(ledger.PreviousKey("shop"))
	used := w.clock.Now()
	u.book.Settle(ledger.Entry{Key: u.key, At: used})
	u.write("r1")
	w.expectConditions(key, expect{"PreviousKeyInUse": "True/Used", "Ready": "True/Ready"})
	w.expectLastUse(key, used)
	text := meta.FindStatusCondition(key.Status.Conditions, "PreviousKeyInUse").Message
	for _, want := range []string{used.UTC().Format("2006-01-02T15:04Z"), key.Status.Hashes[1].NotAfter.UTC().Format(time.RFC3339)} {
		if !strings.Contains(text, want) {
			t.Errorf("the message lacks %s: %s", want, text)
		}
	}

	// An hour without a use, which no event tells.
	w.clock.step(2 * time.Hour)
	w.poke(v1alpha1.KindApiKey, key)
	w.expectConditions(key, expect{"PreviousKeyInUse": "False/NotUsedLately", "Ready": "True/Ready"})
	w.restart()
	w.poke(v1alpha1.KindApiKey, key)
	w.never("a new operator forgets it", func() error {
		w.get(key)
		return matchConditions(key, expect{"PreviousKeyInUse": "False/NotUsedLately"})
	})
	w.expectLastUse(key, used)
	again := w.clock.Now()
	u.book.Settle(ledger.Entry{Key: u.key, At: again})
	u.write("r1")
	w.expectConditions(key, expect{"PreviousKeyInUse": "True/Used"})
	w.expectLastUse(key, again)

	// What was the previous key until now says nothing of the one that is it from now on.
	w.clock.step(2 * time.Minute)
	w.change(key, func() { key.Spec.Rotation.Trigger = "three" })
	w.rotated(second)
	w.expectConditions(key, expect{"PreviousKeyInUse": "False/NotUsed"})
	if key.Status.PreviousKeyLastUsed != nil {
		t.Errorf("last use is %v", key.Status.PreviousKeyLastUsed)
	}

	// An admin who has seen enough drops it.
	secret, plain := w.plain("shop")
	w.publishes(key, plain, second)
	w.change(secret, func() { delete(secret.Annotations, v1alpha1.AnnotationPreviousHash) })
	w.publishes(key, plain)
	w.expectConditions(key, expect{"PreviousKeyInUse": "", "Ready": "True/Ready"})
}

// expectLastUse waits until a status tells the minute in which the previous key was last used.
func (w *world) expectLastUse(key *v1alpha1.ApiKey, want time.Time) {
	w.t.Helper()
	w.eventually("the last use of the previous key", func() error {
		w.get(key)
		if got := key.Status.PreviousKeyLastUsed; got == nil || !got.Time.Equal(want.Truncate(time.Minute)) {
			return fmt.Errorf("it is %v, want the minute of %v", got, want)
		}
		return nil
	})
}
