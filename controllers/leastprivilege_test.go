package controllers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// rights asks the API server what an account may do in a namespace, as "verb group/resource" or "verb group/resource name".
func (w *world) rights(account *rest.Config, namespace string) map[string]bool {
	w.t.Helper()
	c, err := client.New(account, client.Options{Scheme: w.Scheme()})
	if err != nil {
		w.t.Fatal(err)
	}
	review := &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}
	if err := c.Create(w.ctx, review); err != nil {
		w.t.Fatal(err)
	}
	if review.Status.Incomplete {
		w.t.Fatalf("the answer is incomplete: %s", review.Status.EvaluationError)
	}
	found := map[string]bool{}
	for _, rule := range review.Status.ResourceRules {
		names := rule.ResourceNames
		if len(names) == 0 {
			names = []string{""}
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					for _, name := range names {
						found[strings.TrimSpace(fmt.Sprintf("%s %s/%s %s", verb, group, resource, name))] = true
					}
				}
			}
		}
	}
	return found
}

// serviceAccount is an account of the test's namespace.
func (w *world) serviceAccount(name string) *rest.Config {
	account := rest.CopyConfig(apiServer.admin)
	account.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + w.ns + ":" + name,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + w.ns, "system:authenticated"},
	}
	return account
}

// may are verbs on a resource.
func may(resource string, verbs ...string) []string {
	var out []string
	for _, verb := range verbs {
		out = append(out, verb+" "+resource)
	}
	return out
}

// readerRights are what vipcloud-gateway-reader grants where it is bound. Labels of namespaces are for serves.routes with a Selector.
func readerRights() []string {
	var rights []string
	for _, resource := range []string{"vipcloud.ai/apikeys", "vipcloud.ai/gatewayinstances", "vipcloud.ai/modelroutes", "/namespaces"} {
		rights = append(rights, may(resource, "get", "list", "watch")...)
	}
	return rights
}

// compareRights says which rights there are too many, and which are missing.
func compareRights(t *testing.T, got map[string]bool, want []string) {
	t.Helper()
	for right := range got {
		if !slices.Contains(want, right) {
			t.Errorf("may %s", right)
		}
	}
	for _, right := range want {
		if !got[right] {
			t.Errorf("may not %s", right)
		}
	}
}

func TestLeastPrivilege_OfAGateway(t *testing.T) {
	w := newWorld(t)
	elsewhere := w.namespace(nil)
	instance, all := w.instance("default"), w.instance("all", servesAll)
	w.attend("default", "r1")
	w.attend("all", "r2")
	w.ready(instance, all)
	own := func(name string) []string {
		return slices.Concat(readerRights(),
			may("/secrets vipcloud-"+name+"-credentials", "get", "list", "watch"),
			may("vipcloud.ai/gatewayreplicas", "create", "delete", "patch"),
			may("vipcloud.ai/gatewayreplicas/status", "patch"),
			may("vipcloud.ai/usagereports", "create", "delete", "get", "list", "update", "watch"))
	}
	cases := map[string]struct {
		instance, namespace string
		want                []string
	}{
		"in its own namespace":                         {"default", w.ns, own("default")},
		"elsewhere, if it serves nobody there":         {"default", elsewhere, nil},
		"in its own namespace, if it serves everybody": {"all", w.ns, own("all")},
		"elsewhere, if it serves everybody":            {"all", elsewhere, readerRights()},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := w.rights(w.serviceAccount("vipcloud-"+tc.instance), tc.namespace)
			// What Kubernetes gives to every account, such as to ask about oneself, is not ours to give.
			for right := range w.rights(w.serviceAccount("nobody"), tc.namespace) {
				delete(got, right)
			}
			compareRights(t, got, tc.want)
		})
	}
}

func TestLeastPrivilege_OfTheOperatorInNamespacedMode(t *testing.T) {
	w := newQuietWorld(t)
	elsewhere := w.namespace(nil)
	w.create(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: namespacedUser},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "vipcloud-operator"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: namespacedUser}},
	})
	w.start([]string{w.ns})
	instance := w.instance("default")
	w.attend("default", "r1")
	w.ready(instance)
	here := w.rights(apiServer.namespaced, w.ns)
	for right := range here {
		if strings.Contains(right, "*") {
			t.Errorf("may %s", right)
		}
	}
	if !here["list /secrets"] {
		t.Error("may not list the Secrets of its own namespace: the test sees nothing")
	}
	there := w.rights(apiServer.namespaced, elsewhere)
	maps.DeleteFunc(there, func(right string, _ bool) bool { return strings.Contains(right, "/selfsubject") })
	compareRights(t, there, nil)
	c, err := client.New(apiServer.namespaced, client.Options{Scheme: w.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"get", "list", "watch"} {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Resource: "secrets"}}}
		if err := c.Create(w.ctx, review); err != nil {
			t.Fatal(err)
		}
		if review.Status.Allowed {
			t.Errorf("may %s Secrets in the whole cluster", verb)
		}
	}
}
