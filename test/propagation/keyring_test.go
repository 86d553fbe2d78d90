package propagation_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/keyring"
)

// rotatedKeyRing rotates the key ring that job ids are sealed with while both replicas seal: what one seals, the other opens, at every
// moment, and what was sealed before is still opened after.
func rotatedKeyRing(w *world) {
	w.within(patience, "a key ring in each replica", func() bool {
		return !slices.ContainsFunc(w.replicas, func(r *replica) bool { return r.ring.Load() == nil })
	})
	first := w.replicas[0].primary()
	before := w.seal(w.replicas[0])
	instance := &v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "default"}}
	change := fmt.Sprintf(`{"metadata":{"annotations":{%q:"now"}}}`, v1alpha1.AnnotationRotateKeyRing)
	if err := w.client.Patch(w.t.Context(), instance, client.RawPatch(types.MergePatchType, []byte(change))); err != nil {
		w.t.Fatal(err)
	}
	rounds, apart := 0, 0
	for end := time.Now().Add(patience); ; rounds++ {
		if time.Now().After(end) {
			w.t.Fatal("no new key seals in time")
		}
		for _, from := range w.replicas {
			sealed := w.seal(from)
			for _, to := range w.replicas {
				if err := to.open(sealed); err != nil {
					w.t.Fatalf("round %d: what %s sealed cannot be opened by %s: %v", rounds, from.name, to.name, err)
				}
			}
		}
		a, b := w.replicas[0].primary(), w.replicas[1].primary()
		if a != b {
			apart++
		}
		if a != first && b != first {
			break
		}
		<-time.After(time.Millisecond)
	}
	for _, r := range w.replicas {
		if err := r.open(before); err != nil {
			w.t.Errorf("what was sealed before the rotation cannot be opened by %s: %v", r.name, err)
		}
	}
	w.t.Logf("%d rounds, the replicas sealed with different keys in %d of them", rounds, apart)
}

// primary is the key that a replica seals with.
func (r *replica) primary() uint32 {
	keys := r.ring.Load().Keys()
	return keys[slices.IndexFunc(keys, keyring.Key.Primary)].ID
}

// errOpened is what opening something else than was sealed amounts to.
var errOpened = errors.New("something else was opened")

// seal seals with what a replica has now.
func (w *world) seal(r *replica) []byte {
	w.t.Helper()
	sealed, err := r.ring.Load().Seal([]byte("job"), []byte("owner"))
	if err != nil {
		w.t.Fatalf("%s: %v", r.name, err)
	}
	return sealed
}

// open opens with what a replica has now.
func (r *replica) open(sealed []byte) error {
	opened, err := r.ring.Load().Open(sealed, []byte("owner"))
	if err == nil && !bytes.Equal(opened, []byte("job")) {
		err = errOpened
	}
	return err
}
