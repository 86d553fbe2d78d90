package kubernetes

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/table"
)

// keyIndex is a sink that remembers the keys that are served.
type keyIndex map[string]*table.Key

// Replace implements source.Keys.
func (x keyIndex) Replace(keys []*table.Key) {
	clear(x)
	for _, k := range keys {
		x.Put(k)
	}
}

// Put implements source.Keys.
func (x keyIndex) Put(key *table.Key) { x[key.ID()] = key }

// Delete implements source.Keys.
func (x keyIndex) Delete(namespace, name string) { delete(x, namespace+"/"+name) }

// served lists the keys, in order.
func (x keyIndex) served() []string { return slices.Sorted(maps.Keys(x)) }

// constrained makes an instance of a generation with constraints of its keys.
func constrained(generation int64, c v1alpha1.KeyConstraints) item {
	it := instanceItem(generation, v1alpha1.NamespacesFromSame)
	it.value.(*v1alpha1.GatewayInstance).Spec.Serves.Keys = &v1alpha1.ServedKeys{Constraints: &c}
	return it
}

// agedKey makes a key that was made at a second.
func agedKey(namespace, name string, created int64) item {
	return item{
		id:    types.NamespacedName{Namespace: namespace, Name: name},
		value: &table.Key{Namespace: namespace, Name: name, Created: created},
	}
}

// startKeys brings an owner to where it serves keys, and returns their index.
func startKeys(t *testing.T, instance item, keys ...item) (*rig, keyIndex) {
	t.Helper()
	r, index := newRig(t), keyIndex{}
	r.o.sink.Keys = index
	r.send("instance/system", opList, instance)
	r.send("secret/system", opList)
	r.send("routes/system", opList)
	r.send("keys/", opList, keys...)
	r.pass(quietTime)
	r.built()
	return r, index
}

func TestOwner_constraintsReachKeys(t *testing.T) {
	sixty, ten := int64(60), int64(10)
	limited := agedKey("shop", "k", 1)
	limited.value.(*table.Key).Limits = table.Limits{RequestsPerMinute: table.LimitOf(100)}
	r, index := startKeys(t, constrained(1, v1alpha1.KeyConstraints{Limits: &v1alpha1.KeyLimits{RequestsPerMinute: &sixty}}), limited)
	if got := index["shop/k"].Limits.RequestsPerMinute; got != table.LimitOf(60) {
		t.Errorf("limit %+v, want that of the instance", got)
	}

	tables := len(r.inputs)
	r.send("instance/system", opPut, constrained(2, v1alpha1.KeyConstraints{
		Limits: &v1alpha1.KeyLimits{RequestsPerMinute: &ten}, Budget: &v1alpha1.Budget{Amount: "5", Period: v1alpha1.BudgetPeriodDay},
	}))
	if got := index["shop/k"]; got.Limits.RequestsPerMinute != table.LimitOf(10) || len(got.Budgets) != 1 || got.Budgets[0].Amount != 5*money.Unit {
		t.Errorf("after tighter constraints the key has %+v and %+v", got.Limits, got.Budgets)
	}
	if len(r.inputs) != tables {
		t.Error("the constraints waited for a table")
	}

	r.send("instance/system", opPut, instanceItem(3, v1alpha1.NamespacesFromSame))
	if got := index["shop/k"]; got.Limits.RequestsPerMinute != table.LimitOf(100) || got.Budgets != nil {
		t.Errorf("without constraints the key has %+v and %+v, want its own", got.Limits, got.Budgets)
	}
}

func TestOwner_aKeyOfAnotherCurrencyIsNotServed(t *testing.T) {
	key := agedKey("shop", "k", 1)
	key.value.(*table.Key).Budgets = []table.Budget{{Amount: money.Unit, Currency: "CNY", Period: table.PeriodDay}}
	r, index := startKeys(t, instanceItem(1, v1alpha1.NamespacesFromSame), key, agedKey("shop", "free", 1))
	if diff := cmp.Diff([]string{"shop/free"}, index.served()); diff != "" {
		t.Errorf("in another currency (-want +got):\n%s", diff)
	}
	instance := instanceItem(2, v1alpha1.NamespacesFromSame)
	instance.value.(*v1alpha1.GatewayInstance).Spec.Currency = "CNY"
	r.send("instance/system", opPut, instance)
	if diff := cmp.Diff([]string{"shop/free", "shop/k"}, index.served()); diff != "" {
		t.Errorf("in its own (-want +got):\n%s", diff)
	}
}

func TestOwner_maxKeys(t *testing.T) {
	two, one := int32(2), int32(1)
	r, index := startKeys(t, constrained(1, v1alpha1.KeyConstraints{MaxKeys: &two}),
		agedKey("shop", "a", 10), agedKey("shop", "b", 20), agedKey("shop", "c", 30), agedKey("bank", "x", 40))
	expect := func(when string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, index.served()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	expect("at first", "bank/x", "shop/a", "shop/b")

	r.send("keys/", opPut, agedKey("shop", "d", 40))
	expect("a younger key is too many", "bank/x", "shop/a", "shop/b")
	r.send("keys/", opRemove, agedKey("shop", "a", 10))
	expect("the next one moves up", "bank/x", "shop/b", "shop/c")
	r.send("keys/", opPut, agedKey("shop", "e", 5))
	expect("an older key, seen later, pushes the youngest out", "bank/x", "shop/b", "shop/e")
	r.send("keys/", opPut, agedKey("bank", "y", 50))
	expect("another namespace has room of its own", "bank/x", "bank/y", "shop/b", "shop/e")
	r.send("keys/", opPut, item{id: types.NamespacedName{Namespace: "shop", Name: "e"}})
	expect("a key that went to another instance makes room", "bank/x", "bank/y", "shop/b", "shop/c")

	r.send("instance/system", opPut, constrained(2, v1alpha1.KeyConstraints{MaxKeys: &one}))
	expect("fewer", "bank/x", "shop/b")
	r.send("instance/system", opPut, instanceItem(3, v1alpha1.NamespacesFromSame))
	expect("as many as there are", "bank/x", "bank/y", "shop/b", "shop/c", "shop/d")
}

// TestOwner_maxKeysByAnyOrder: whatever the order in which keys come and go, those are served that a fresh start would serve.
func TestOwner_maxKeysByAnyOrder(t *testing.T) {
	three := int32(3)
	names := []string{"a", "b", "c", "d", "e", "f", "g"}
	for offset := range names {
		r, index := startKeys(t, constrained(1, v1alpha1.KeyConstraints{MaxKeys: &three}))
		for i := range names {
			at := (i*3 + offset) % len(names)
			r.send("keys/", opPut, agedKey("shop", names[at], int64(at)))
			if len(index) > 3 {
				t.Fatalf("%v are served at once", index.served())
			}
		}
		r.send("keys/", opRemove, agedKey("shop", "b", 1))
		if diff := cmp.Diff([]string{"shop/a", "shop/c", "shop/d"}, index.served()); diff != "" {
			t.Errorf("offset %d (-want +got):\n%s", offset, diff)
		}
	}
}

func TestOwner_redis(t *testing.T) {
	state := table.RedisState{Username: "gate", Password: table.NewSecret("pass")}
	entry, err := table.EncodeRedis(state)
	if err != nil {
		t.Fatal(err)
	}
	with := func(redis []byte) item {
		it := secretItem("a")
		it.value.(map[string][]byte)[table.CompiledRedisEntry] = redis
		return it
	}
	r := newRig(t)
	r.start(instanceItem(1, v1alpha1.NamespacesFromSame), "routes/system", "keys/")
	if r.last().Redis != nil {
		t.Error("a Secret that does not exist says something of Redis")
	}
	build := func(it item) *table.RedisState {
		t.Helper()
		r.send("secret/system", opPut, it)
		r.pass(time.Second)
		r.built()
		return r.last().Redis
	}
	if diff := cmp.Diff(&state, build(with(entry))); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&state, build(with([]byte("garbage")))); diff != "" {
		t.Errorf("after an entry that cannot be read (-want +got):\n%s", diff)
	}
	if got := build(secretItem("b")); got != nil {
		t.Errorf("after the entry went: %v", got)
	}
}
