package controllers

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestOptions_ValidateReturnsEveryProblem(t *testing.T) {
	cases := map[string]struct {
		opts Options
		want []string
	}{
		"nothing set":      {Options{}, []string{"providers", "gateway image"}},
		"empty namespaces": {Options{Providers: testProviders(), GatewayImage: "i", WatchNamespaces: []string{}}, []string{"watch namespaces"}},
		"complete":         {Options{Providers: testProviders(), GatewayImage: "i"}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := tc.opts.validate()
			if (err == nil) != (tc.want == nil) {
				t.Fatalf("got %v", err)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not speak of %s", err, want)
				}
			}
			if err == nil && tc.opts.Clock == nil {
				t.Error("there is no clock")
			}
		})
	}
}

func TestCacheOptions(t *testing.T) {
	clusterWide := CacheOptions(nil)
	if clusterWide.DefaultNamespaces != nil {
		t.Errorf("cluster mode watches %v", clusterWide.DefaultNamespaces)
	}
	namespaced := CacheOptions([]string{"a", "b"})
	if len(namespaced.DefaultNamespaces) != 2 {
		t.Errorf("namespaced mode watches %v", namespaced.DefaultNamespaces)
	}
	for obj, by := range namespaced.ByObject {
		if _, remote := obj.(*rbacv1.ClusterRoleBinding); remote {
			t.Error("namespaced mode watches ClusterRoleBindings")
		}
		if len(by.Namespaces) != 2 || by.Label == nil {
			t.Errorf("%T: namespaces %v, label %v", obj, by.Namespaces, by.Label)
		}
	}
}

func TestSlimPod_KeepsWhatReadinessNeeds(t *testing.T) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"big": "x"}},
		Spec:       corev1.PodSpec{NodeName: "n"},
		Status:     corev1.PodStatus{PodIP: "1.2.3.4", Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: "True"}}},
	}
	out, err := slimPod(pod)
	slim := out.(*corev1.Pod)
	if err != nil || !podReady(slim) || slim.Labels["a"] != "b" || slim.Spec.NodeName != "" || slim.Status.PodIP != "" || slim.Annotations != nil {
		t.Errorf("%+v, %v", slim, err)
	}
	if pod.Annotations == nil || pod.Spec.NodeName == "" {
		t.Error("the input was changed")
	}
	if out, err := slimPod("tombstone"); out != "tombstone" || err != nil {
		t.Errorf("%v, %v", out, err)
	}
}

func TestOurs(t *testing.T) {
	instance := &v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "g", UID: "u"}}
	controlledBy := func(kind, name, uid string) metav1.ObjectMeta {
		yes := true
		return metav1.ObjectMeta{Namespace: "n", Name: "o", OwnerReferences: []metav1.OwnerReference{
			{Kind: kind, Name: name, UID: "x"}, {Kind: kind, Name: name, UID: "u", Controller: &yes}}[min(len(uid), 1):]}
	}
	other := controlledBy("GatewayInstance", "g", "u")
	other.OwnerReferences[0].UID = "before"
	labelled := func(namespace, uid string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace, Labels: map[string]string{v1alpha1.LabelInstanceUID: uid,
			v1alpha1.LabelInstance: "g", v1alpha1.LabelInstanceNamespace: "n"}}
	}
	cases := map[string]struct {
		meta     metav1.ObjectMeta
		want     string
		severity table.Severity
	}{
		"controlled by it":                  {controlledBy("GatewayInstance", "g", "u"), "", 0},
		"controlled by the one before":      {other, "NameConflict", table.Missing},
		"nobody's":                          {metav1.ObjectMeta{Namespace: "n"}, "NameConflict", table.Invalid},
		"labelled, elsewhere":               {labelled("m", "u"), "", 0},
		"labelled, of the cluster":          {labelled("", "u"), "", 0},
		"labelled, but could have an owner": {labelled("n", "u"), "NameConflict", table.Missing},
		"restored without its owner":        {metav1.ObjectMeta{Namespace: "n", Labels: render.Labels(instance)}, "", 0},
		"labelled by the one before":        {labelled("m", "before"), "NameConflict", table.Missing},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := foreign(instance, "Thing", &corev1.ConfigMap{ObjectMeta: tc.meta})
			switch {
			case tc.want == "" && p != nil:
				t.Errorf("got %+v", p)
			case tc.want != "" && (p == nil || p.Reason != tc.want || p.Severity != tc.severity):
				t.Errorf("got %+v, want %s, %s", p, tc.want, tc.severity)
			}
		})
	}
	if p := foreign(instance, "Thing", nil); p != nil {
		t.Errorf("what does not exist is %+v", p)
	}
}

func TestRolloutDetail(t *testing.T) {
	of := func(observed int64, replicas, updated int32) *appsv1.Deployment {
		return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Generation: 2}, Status: appsv1.DeploymentStatus{
			ObservedGeneration: observed, Replicas: replicas, UpdatedReplicas: updated,
			Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: "True", Message: "quota exceeded"}}}}
	}
	cases := map[string]struct {
		deployment *appsv1.Deployment
		ready      int
		wantOK     bool
		wantText   string
	}{
		"no Deployment":                     {nil, 2, false, "being created"},
		"too few":                           {of(2, 2, 2), 1, false, "1 of 2 replicas are ready; pods cannot be made: quota exceeded"},
		"all":                               {of(2, 2, 2), 2, true, ""},
		"an old pod is left":                {of(2, 3, 2), 2, false, "rolling out"},
		"the change was not seen":           {of(1, 2, 2), 2, false, "rolling out"},
		"nobody looks after Deployments":    {of(0, 0, 0), 2, true, ""},
		"more than wanted outside the pods": {of(2, 2, 2), 3, true, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := rolloutDetail(tc.deployment, tc.ready, 2, obstacleOf(tc.deployment, ""))
			if got.ok != tc.wantOK || !strings.Contains(got.message, tc.wantText) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	resource := schema.GroupResource{Resource: "secrets"}
	for name, err := range map[string]error{
		"forbidden": apierrors.NewForbidden(resource, "s", nil), "bad": apierrors.NewBadRequest("x"),
		"invalid": apierrors.NewInvalid(schema.GroupKind{Kind: "Secret"}, "s", nil),
	} {
		if !refused(err) {
			t.Errorf("%s counts as passing", name)
		}
	}
	for name, err := range map[string]error{
		"nothing": nil, "conflict": apierrors.NewConflict(resource, "s", nil), "exists": apierrors.NewAlreadyExists(resource, "s"),
		"timeout": apierrors.NewTimeoutError("x", 1), "gone": apierrors.NewNotFound(resource, "s"),
	} {
		if refused(err) {
			t.Errorf("%s counts as final", name)
		}
	}
}
