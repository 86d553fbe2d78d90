package kubernetes

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/table"
)

// testRing makes a key ring.
func testRing(t *testing.T) keyring.Ring {
	t.Helper()
	ring, err := keyring.NewAt(time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// ringItem makes a compiled Secret with a key ring.
func ringItem(credentials string, ring []byte) item {
	it := secretItem(credentials)
	it.value.(map[string][]byte)[keyring.Entry] = ring
	return it
}

func TestOwner_keyRing(t *testing.T) {
	first, second := testRing(t), testRing(t)
	put := func(it item) func(*rig) { return func(r *rig) { r.send("secret/system", opPut, it) } }
	cases := map[string]struct {
		do      func(r *rig)
		want    []keyring.Ring // that were handed over after the first one
		version bool           // whether the version of credentials goes along
	}{
		"a new one":                       {put(ringItem("a", second.Bytes())), []keyring.Ring{second}, true},
		"the same beside new credentials": {put(ringItem("b", first.Bytes())), nil, true},
		"none any more":                   {put(secretItem("b")), nil, true},
		"one that cannot be read":         {put(ringItem("b", []byte("{}"))), nil, false},
		"a readable one after a bad one": {func(r *rig) {
			r.send("secret/system", opPut, ringItem("b", []byte("{}")))
			r.send("secret/system", opPut, ringItem("b", second.Bytes()))
		}, []keyring.Ring{second}, true},
		"beside credentials that cannot be read": {func(r *rig) {
			r.send("secret/system", opPut, ringItem("garbage", second.Bytes()))
		}, []keyring.Ring{second}, false},
		"a Secret that was deleted": {func(r *rig) { r.send("secret/system", opRemove, ringItem("a", nil)) }, nil, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.send("secret/system", opList, ringItem("a", first.Bytes()))
			r.send("instance/system", opList, instanceItem(1, v1alpha1.NamespacesFromSame))
			r.send("routes/system", opList)
			r.send("keys/", opList)
			r.pass(quietTime)
			r.built()
			told := len(r.loaded)
			tc.do(r)
			r.send("routes/system", opPut, routeItem("system", "x", 1)) // so that there is a table to look at
			r.pass(quietTime)
			r.built()

			if len(r.rings) != 1+len(tc.want) || !r.rings[0].Equal(first) {
				t.Fatalf("%d rings were handed over, want %d", len(r.rings), 1+len(tc.want))
			}
			for i, want := range tc.want {
				if !r.rings[1+i].Equal(want) {
					t.Errorf("ring %d is another one", 1+i)
				}
				if r.ringAt[1+i] != told {
					t.Error("versions were told before the ring was handed over")
				}
			}
			if moved := r.loaded[len(r.loaded)-1].Credentials != "1"; moved != tc.version {
				t.Errorf("the version of credentials moved: %v, want %v", moved, tc.version)
			}
		})
	}
}

func TestOwner_anUnreadableKeyRingHoldsUpNoCredentials(t *testing.T) {
	r := newRig(t)
	r.start(instanceItem(1, v1alpha1.NamespacesFromSame), "routes/system", "keys/")
	r.send("secret/system", opPut, ringItem("b", []byte("garbage")))
	r.pass(quietTime)
	if got := r.last().Credentials; len(got) != 1 || got[0].Name != "b" {
		t.Errorf("credentials in use are %v, want b", got)
	}
	if len(r.rings) != 0 {
		t.Errorf("%d rings were handed over", len(r.rings))
	}
}

func TestOwner_nobodyWantsTheKeyRing(t *testing.T) {
	r := newRig(t)
	r.o.sink.KeyRing = nil
	r.send("secret/system", opList, ringItem("a", []byte("garbage")))
	r.send("instance/system", opList, instanceItem(1, v1alpha1.NamespacesFromSame))
	r.send("routes/system", opList)
	r.send("keys/", opList)
	r.pass(quietTime)
	r.built()
	if got := r.loaded[len(r.loaded)-1].Credentials; got == "" {
		t.Error("the version of the Secret is not told")
	}
}

func TestSource_followsTheKeyRing(t *testing.T) {
	b := newBench(t)
	b.makeInstance()
	data, err := table.EncodeCredentials(nil)
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: b.instance.Namespace, Name: "vipcloud-default-credentials"}, Data: data}
	b.create(secret)
	b.start()
	b.synced()
	b.eventually("an older operator's Secret serves", func() bool { return covers(b.loaded.Credentials, secret.ResourceVersion) })
	if len(b.rings) != 0 {
		t.Fatal("a ring came from nowhere")
	}

	ring := testRing(t)
	update(b, secret, func(s *corev1.Secret) { s.Data[keyring.Entry] = ring.Bytes() })
	b.eventually("the ring and its version", func() bool {
		return len(b.rings) == 1 && b.rings[0].Equal(ring) && covers(b.loaded.Credentials, secret.ResourceVersion)
	})
	next, err := ring.Add(time.Unix(1_800_000_100, 0))
	if err != nil {
		t.Fatal(err)
	}
	update(b, secret, func(s *corev1.Secret) { s.Data[keyring.Entry] = next.Bytes() })
	b.eventually("the next ring and its version", func() bool {
		return len(b.rings) == 2 && b.rings[1].Equal(next) && covers(b.loaded.Credentials, secret.ResourceVersion)
	})
}
