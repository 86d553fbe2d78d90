package controllers

import (
	"fmt"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
)

func TestSweeper_DeletesWhatAnInstanceLeaves(t *testing.T) {
	w := newWorld(t)
	binding := func(instance, uid string) *rbacv1.ClusterRoleBinding {
		return &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "vipcloud-" + w.ns + "." + instance, Labels: map[string]string{
				render.LabelManagedBy: render.ManagedBy, v1alpha1.LabelInstance: instance,
				v1alpha1.LabelInstanceNamespace: w.ns, v1alpha1.LabelInstanceUID: uid}},
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "vipcloud-gateway-reader"},
		}
	}
	t.Run("on deletion", func(t *testing.T) {
		instance := w.instance("first", servesAll)
		found := binding("first", "")
		w.eventually("the binding", func() error { return w.Get(w.ctx, client.ObjectKeyFromObject(found), found) })
		w.remove(instance)
		w.eventually("sweeping", func() error { return w.gone(found) })
	})
	t.Run("at start", func(t *testing.T) {
		w.stop()
		leftover, alike := binding("gone", "some-uid"), binding("unlabelled", "x")
		alike.Labels = map[string]string{v1alpha1.LabelInstance: "gone"}
		w.create(leftover)
		w.create(alike)
		w.start(nil)
		w.eventually("sweeping", func() error { return w.gone(leftover) })
		w.get(alike)
		w.remove(alike)
	})
	t.Run("of an instance that was made anew", func(t *testing.T) {
		w.stop()
		instance := w.instance("anew", servesAll)
		stale := binding("anew", "the-uid-before")
		w.create(stale)
		w.start(nil)
		w.eventually("a binding of the present instance", func() error {
			if err := w.Get(w.ctx, client.ObjectKeyFromObject(stale), stale); err != nil {
				return err
			}
			if got := stale.Labels[v1alpha1.LabelInstanceUID]; got != string(instance.UID) {
				return fmt.Errorf("it is labelled %s", got)
			}
			return nil
		})
	})
}
