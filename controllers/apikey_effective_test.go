package controllers

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// constrains makes an instance constrain its keys.
func constrains(c v1alpha1.KeyConstraints) func(*v1alpha1.GatewayInstance) {
	return func(obj *v1alpha1.GatewayInstance) { obj.Spec.Serves.Keys.Constraints = &c }
}

// expectEffective waits until a key's status says what holds for it.
func (w *world) expectEffective(ak *v1alpha1.ApiKey, want *v1alpha1.EffectiveKey) {
	w.t.Helper()
	w.eventually("what holds for "+ak.Name, func() error {
		w.get(ak)
		if diff := gocmp.Diff(want, ak.Status.Effective); diff != "" {
			return errors.New("effective (-want +got):\n" + diff)
		}
		return nil
	})
}

func TestApiKey_EffectiveIsWhatHoldsUnderConstraints(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	w.attend("default", "r1")
	key := w.key("shop", func(ak *v1alpha1.ApiKey) {
		ak.Spec.Models = []v1alpha1.ModelGlob{"deepseek-*", "qwen-*"}
		ak.Spec.PreviewModels = []v1alpha1.ModelGlob{"qwen-next"}
		ak.Spec.Limits = &v1alpha1.KeyLimits{RequestsPerMinute: new(int64(600)), ConcurrentRequests: new(int64(0))}
		ak.Spec.Budget = &v1alpha1.Budget{Amount: "50.00", Period: v1alpha1.BudgetPeriodMonth}
	})
	w.ready(key)
	w.expectEffective(key, &v1alpha1.EffectiveKey{
		Models: []v1alpha1.EffectiveGlob{"deepseek-*", "qwen-*"}, PreviewModels: []v1alpha1.EffectiveGlob{"qwen-next"},
		Limits:  &v1alpha1.KeyLimits{RequestsPerMinute: new(int64(600)), ConcurrentRequests: new(int64(0))},
		Budgets: []v1alpha1.Budget{{Amount: "50", Currency: "USD", Period: v1alpha1.BudgetPeriodMonth}},
	})

	w.change(instance, func() {
		constrains(v1alpha1.KeyConstraints{
			Models: []v1alpha1.ModelGlob{"qwen-plus"}, PreviewModels: []v1alpha1.ModelGlob{},
			Limits:          &v1alpha1.KeyLimits{RequestsPerMinute: new(int64(60)), TokensPerMinute: new(int64(1000))},
			Budget:          &v1alpha1.Budget{Amount: "5", Period: v1alpha1.BudgetPeriodDay},
			NamespaceBudget: &v1alpha1.Budget{Amount: "100", Period: v1alpha1.BudgetPeriodMonth},
		})(instance)
	})
	w.expectEffective(key, &v1alpha1.EffectiveKey{
		Models: []v1alpha1.EffectiveGlob{"qwen-plus"},
		Limits: &v1alpha1.KeyLimits{
			RequestsPerMinute: new(int64(60)), TokensPerMinute: new(int64(1000)), ConcurrentRequests: new(int64(0)),
		},
		Budgets: []v1alpha1.Budget{
			{Amount: "5", Currency: "USD", Period: v1alpha1.BudgetPeriodDay}, {Amount: "50", Currency: "USD", Period: v1alpha1.BudgetPeriodMonth},
		},
		NamespaceBudget: &v1alpha1.Budget{Amount: "100", Currency: "USD", Period: v1alpha1.BudgetPeriodMonth},
	})
	w.ready(key)

	// A budget in another currency would be no bound: the key is not accepted, and nothing holds for it.
	w.change(key, func() { key.Spec.Budget.Currency = "CNY" })
	w.expectConditions(key, expect{"Accepted": "False/CurrencyMismatch", "Stalled": "True/CurrencyMismatch"})
	w.expectEffective(key, nil)

	w.change(instance, func() { instance.Spec.Serves.Keys.Constraints = nil })
	w.change(key, func() { key.Spec.Models, key.Spec.PreviewModels, key.Spec.Limits, key.Spec.Budget = nil, nil, nil, nil })
	w.expectEffective(key, &v1alpha1.EffectiveKey{})
	w.ready(key)
	w.remove(instance)
	w.expectConditions(key, expect{"Accepted": "False/NoGateway"})
	w.expectEffective(key, nil)
}

func TestApiKey_MaxKeysHoldsWhenManyAreMadeAtOnce(t *testing.T) {
	const most, made = 5, 24
	w := newWorld(t)
	w.instance("default", constrains(v1alpha1.KeyConstraints{MaxKeys: new(int32(most))}))
	w.attend("default", "r1")
	failed := make(chan error, made)
	for i := range made {
		go func() {
			failed <- w.Create(w.ctx, &v1alpha1.ApiKey{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: fmt.Sprintf("k%02d", (i*7)%made)}})
		}()
	}
	for range made {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	w.expectOldestAccepted(made, most)

	// A key that goes makes room for the next oldest one.
	keys := w.keysByAge()
	w.remove(&keys[2])
	w.expectOldestAccepted(made-1, most)
}

// keysByAge lists the keys of the test's namespace, the oldest first and those of one second by name.
func (w *world) keysByAge() []v1alpha1.ApiKey {
	w.t.Helper()
	list := &v1alpha1.ApiKeyList{}
	if err := w.List(w.ctx, list, client.InNamespace(w.ns)); err != nil {
		w.t.Fatal(err)
	}
	slices.SortFunc(list.Items, func(a, b v1alpha1.ApiKey) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return list.Items
}

// expectOldestAccepted waits until the oldest keys are Ready and all others are told that they are too many.
func (w *world) expectOldestAccepted(all, most int) {
	w.t.Helper()
	w.eventually("the oldest keys alone are accepted", func() error {
		keys := w.keysByAge()
		if len(keys) != all {
			return fmt.Errorf("%d keys, want %d", len(keys), all)
		}
		for i := range keys {
			want := expect{"Accepted": "True/Accepted", "Ready": "True/Ready"}
			if i >= most {
				want = expect{"Accepted": "False/TooManyKeys", "Stalled": "True/TooManyKeys"}
			}
			if err := matchConditions(&keys[i], want); err != nil {
				return fmt.Errorf("%s, number %d: %w", keys[i].Name, i, err)
			}
			if (keys[i].Status.Effective != nil) != (i < most) {
				return fmt.Errorf("%s, number %d: effective is %v", keys[i].Name, i, keys[i].Status.Effective)
			}
		}
		return nil
	})
}
