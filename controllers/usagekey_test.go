package controllers

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/money"
)

// usageStatus waits until the usage in the status of a key is as wanted.
func (w *world) usageStatus(ak *v1alpha1.ApiKey, what string, holds func(u *v1alpha1.KeyUsage) bool) {
	w.t.Helper()
	w.eventually(what, func() error {
		if err := w.Get(w.ctx, client.ObjectKeyFromObject(ak), ak); err != nil {
			return err
		}
		if ak.Status.Usage == nil || !holds(ak.Status.Usage) {
			return fmt.Errorf("usage %+v", ak.Status.Usage)
		}
		return nil
	})
}

func TestUsage_statusOfAKey(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	w.attend("default", "a")
	ak := w.key("shop", func(ak *v1alpha1.ApiKey) {
		ak.Spec.Budget = &v1alpha1.Budget{Amount: "10", Period: v1alpha1.BudgetPeriodMonth}
	})
	w.usageStatus(ak, "nothing was spent", func(u *v1alpha1.KeyUsage) bool {
		return u.Spent == "0" && u.Remaining == "10" && u.Budget == "10/Month" && u.Currency == "USD" && u.LastUsed == nil
	})
	u := w.usage("shop")
	u.settle(4*money.Unit, "")
	u.write("a")
	w.clock.step(usageEvery) // what was written at first does not hold it up
	w.usageStatus(ak, "some was spent", func(u *v1alpha1.KeyUsage) bool {
		return u.Spent == "4" && u.Day == "4" && u.Week == "4" && u.Month == "4" && u.Lifetime == "4" && u.Remaining == "6"
	})
	at := w.clock.Now().UTC()
	if end := ak.Status.Usage.ResetsAt; end == nil || !end.After(at) || end.UTC().Day() != 1 || ak.Status.Usage.LastUsed == nil {
		t.Errorf("usage %+v", ak.Status.Usage)
	}
	u.settle(money.Unit, "")
	u.write("a")
	w.never("written again within a minute", func() error {
		w.get(ak)
		if ak.Status.Usage.Spent != "4" {
			return fmt.Errorf("spent is %s", ak.Status.Usage.Spent)
		}
		return nil
	})
	u.settle(7*money.Unit, "")
	u.write("a")
	w.usageStatus(ak, "the budget was crossed: at once", func(u *v1alpha1.KeyUsage) bool { return u.Spent == "12" && u.Remaining == "-2" })
	w.change(ak, func() { metav1.SetMetaDataAnnotation(&ak.ObjectMeta, v1alpha1.AnnotationResetUsage, "1") })
	w.usageStatus(ak, "reset", func(u *v1alpha1.KeyUsage) bool { return u.Spent == "0" && u.Lifetime == "0" && u.Remaining == "10" })
	w.change(ak, func() { ak.Spec.Budget = nil })
	w.usageStatus(ak, "no budget", func(u *v1alpha1.KeyUsage) bool {
		return u.Budget == "" && u.Remaining == "" && u.ResetsAt == nil && u.Spent == "0"
	})
}

func TestUsage_theOperatorArchivesWhatIsLeftOfAPod(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	ak := w.key("shop")
	replica := w.replica("default", "leaves")
	u := w.usage("shop")
	u.settle(5*money.Unit, "")
	report := u.write("leaves")
	w.usageStatus(ak, "some was spent", func(u *v1alpha1.KeyUsage) bool { return u.Spent == "5" })
	w.remove(replica)
	w.never("archived at once", func() error { return w.Get(w.ctx, client.ObjectKeyFromObject(report), report) })
	w.clock.step(writerGrace)
	// Comes and goes, as it is much too old by the operator's clock, and so makes it look.
	w.create(&v1alpha1.GatewayReplica{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "leaves"},
		Spec: v1alpha1.GatewayReplicaSpec{Instance: "default"}})
	w.eventually("archived", func() error {
		if _, lives, archives := w.ledgerOf("default"); lives != nil || len(archives) != 1 || w.spent(u) != 5*money.Unit {
			return fmt.Errorf("live %v, archives %d", lives, len(archives))
		}
		return nil
	})
	w.never("the status of the key stays", func() error {
		w.get(ak)
		if ak.Status.Usage.Lifetime != "5" {
			return fmt.Errorf("usage %+v", ak.Status.Usage)
		}
		return nil
	})
}

func TestUsage_everyMemberThatIsUnsetIsRemoved(t *testing.T) {
	var want []string
	for field := range reflect.TypeFor[v1alpha1.KeyUsage]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		want = append(want, name)
	}
	if diff := cmp.Diff(want, usageMembers); diff != "" {
		t.Errorf("members of KeyUsage (-want +got):\n%s", diff)
	}
}
