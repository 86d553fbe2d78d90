package proxy

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestBudget_collectsWhatWasGivenBackBeforeItIsHalfOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var collections atomic.Int64
		b := newBudget(100)
		ended := make(chan struct{})
		b.collect = func() { <-ended; collections.Add(1) }
		use := func(n int64) {
			t.Helper()
			if err := b.Acquire(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			b.Release(n)
		}
		use(20)
		use(29)
		if synctest.Wait(); collections.Load() != 0 || !b.TryAcquire(100) {
			t.Fatalf("%d collections for 49 of 100 bytes", collections.Load())
		}
		b.Weighted.Release(100)
		use(1)
		if synctest.Wait(); b.TryAcquire(100) {
			t.Error("what is being collected can be had")
		}
		if !b.TryAcquire(99) {
			t.Error("a collection takes what others have")
		}
		b.Weighted.Release(99)
		close(ended)
		if synctest.Wait(); collections.Load() != 1 || !b.TryAcquire(100) {
			t.Errorf("%d collections after 50 of 100 bytes", collections.Load())
		}
	})
}

func TestHolding_isTakenOnceForAllImages(t *testing.T) {
	const mb = 1 << 20
	for name, tc := range map[string]struct {
		images      int
		first, want int64
	}{
		"as large as the first":    {images: 1, first: 30 * mb, want: 30 * mb},
		"for each of them":         {images: 3, first: 10 * mb, want: 30 * mb},
		"never very little":        {images: 2, first: 1, want: 2 * leastShare},
		"never more than there is": {images: 10, first: 24 * mb, want: heldBytes},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBudget(heldBytes)
			var h holding
			h.prepare(b, tc.images)
			for _, image := range []int64{tc.first, 100 * mb} {
				if err := h.take(t.Context(), image); err != nil {
					t.Fatal(err)
				}
			}
			if h.share != tc.want || b.TryAcquire(heldBytes-tc.want+1) {
				t.Errorf("the share is %d, want %d", h.share, tc.want)
			}
			b.collect = func() {}
			h.letGo()
			h.letGo()
			if err := b.Acquire(t.Context(), heldBytes); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHolding_whoLeavesWhileWaitingTakesNothing(t *testing.T) {
	b := newBudget(heldBytes)
	if !b.TryAcquire(heldBytes) {
		t.Fatal("a new budget is used up")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var h holding
	h.prepare(b, 1)
	if err := h.take(ctx, 1); err == nil || h.share != 0 {
		t.Errorf("share %d, error %v", h.share, err)
	}
	h.letGo()
	if b.TryAcquire(1) {
		t.Error("somebody else's share was given back")
	}
}
