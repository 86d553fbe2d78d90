package controllers

import (
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// openPorts are the ports that a policy lets pods reach, and whether at private addresses.
func openPorts(policy *networkingv1.NetworkPolicy) map[int]bool {
	ports := map[int]bool{}
	for _, rule := range policy.Spec.Egress {
		private := len(rule.To) == 0
		for _, to := range rule.To {
			private = private || len(to.IPBlock.Except) == 1
		}
		for _, p := range rule.Ports {
			ports[p.Port.IntValue()] = ports[p.Port.IntValue()] || private
		}
	}
	return ports
}

func TestGatewayInstance_NetworkPolicyFollowsTheCredentials(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default", func(i *v1alpha1.GatewayInstance) {
		i.Spec.NetworkPolicy = &v1alpha1.NetworkPolicy{
			IngressFrom: []v1alpha1.NetworkPeer{
				{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "shop"}}}, {CIDR: "10.1.2.3/16"}},
			EgressPorts: []v1alpha1.NetworkPort{4317},
		}
		i.Spec.Tracing = &v1alpha1.Tracing{Endpoint: "http://collector.monitoring:4318"}
		i.Spec.Redis = &v1alpha1.Redis{Address: "redis.example.com:6390"}
	})
	w.attend("default", "r1")
	policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default"}}
	allows := func(want map[int]bool) {
		t.Helper()
		w.eventually("the policy", func() error {
			if err := w.Get(w.ctx, client.ObjectKeyFromObject(policy), policy); err != nil {
				return err
			}
			if diff := cmp.Diff(want, openPorts(policy)); diff != "" {
				return errors.New(diff)
			}
			return nil
		})
	}
	always := func(more map[int]bool) map[int]bool {
		ports := map[int]bool{53: true, 5353: true, 443: true, 6443: true, 4317: true, 4318: true, 6390: true}
		maps.Copy(ports, more)
		return ports
	}
	allows(always(nil))
	from := policy.Spec.Ingress[0].From
	if len(from) != 2 || from[0].NamespaceSelector.MatchLabels["team"] != "shop" || from[1].IPBlock.CIDR != "10.1.0.0/16" {
		t.Errorf("the API is open to %+v", from)
	}

	w.credential("unused", "sk-1", func(c *v1alpha1.ProviderCredential) { c.Spec.Endpoint = "https://unused.example.com:9999" })
	odd := w.credential("odd", "sk-1", func(c *v1alpha1.ProviderCredential) { c.Spec.Endpoint = "https://llm.example.com:8443/v1" })
	w.credential("inner", "sk-1", func(c *v1alpha1.ProviderCredential) {
		c.Spec.Endpoint, c.Spec.AllowInsecure, c.Spec.AllowPrivate = "http://vllm.models.svc:8000", true, true
	})
	w.credential("proxied", "sk-1", func(c *v1alpha1.ProviderCredential) {
		c.Spec.Endpoint, c.Spec.Proxy = "https://far.example.com:7777", &v1alpha1.UpstreamProxy{URL: "http://proxy.example.com:3128"}
	})
	w.route("a", "odd")
	w.route("b", "inner")
	w.route("c", "proxied")
	allows(always(map[int]bool{8443: false, 8000: true, 3128: true}))
	w.change(odd, func() { odd.Spec.Endpoint = "https://llm.example.com:8444/v1" })
	allows(always(map[int]bool{8444: false, 8000: true, 3128: true}))

	off := false
	w.change(instance, func() { instance.Spec.NetworkPolicy.Enabled = &off })
	w.eventually("the policy goes", func() error { return w.gone(policy) })
}

func TestGatewayInstance_Ingress(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default", func(i *v1alpha1.GatewayInstance) {
		i.Spec.Expose = &v1alpha1.Expose{Ingress: &v1alpha1.ExposeIngress{ClassName: "nginx", Host: "llm.example.com", TLSSecretName: "llm",
			Annotations: map[string]v1alpha1.AnnotationValue{"nginx.ingress.kubernetes.io/proxy-buffering": "off"}}}
	})
	w.attend("default", "r1")
	w.expectConditions(instance, expect{"Exposed": "True/Exposed", "Ready": "True/Ready"})
	ingress := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default"}}
	w.get(ingress)
	rule := ingress.Spec.Rules[0]
	backend := rule.HTTP.Paths[0].Backend.Service
	if rule.Host != "llm.example.com" || backend.Name != "vipcloud-default" || backend.Port.Number != 80 || *ingress.Spec.IngressClassName != "nginx" ||
		ingress.Spec.TLS[0].SecretName != "llm" || len(ingress.Annotations) != 1 {
		t.Errorf("ingress %+v, annotations %v", ingress.Spec, ingress.Annotations)
	}
	w.change(instance, func() { instance.Spec.Expose = nil })
	w.eventually("the Ingress goes", func() error { return w.gone(ingress) })
	w.expectConditions(instance, expect{"Exposed": ""})
}

// gatewayAPI is the folder of the Gateway API's own CRDs, in the version that go.mod pins.
func gatewayAPI(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "config", "crd", "standard", "gateway.networking.k8s.io_httproutes.yaml")
}

func TestGatewayInstance_HTTPRouteNeedsItsAPI(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default", func(i *v1alpha1.GatewayInstance) {
		i.Spec.Expose = &v1alpha1.Expose{HTTPRoute: &v1alpha1.ExposeHTTPRoute{
			ParentRefs: []v1alpha1.GatewayParent{{Name: "public", Namespace: "gateways", SectionName: "https"}},
			Hostnames:  []v1alpha1.Hostname{"llm.example.com"}}}
	})
	w.attend("default", "r1")
	w.expectConditions(instance, expect{"Exposed": "False/GatewayAPIMissing", "Ready": "False/GatewayAPIMissing", "Stalled": ""})

	crds := envtest.CRDInstallOptions{Paths: []string{gatewayAPI(t)}}
	if _, err := envtest.InstallCRDs(apiServer.admin, crds); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := envtest.UninstallCRDs(apiServer.admin, crds); err != nil {
			t.Error(err)
		}
	})
	w.later(instance)
	w.expectConditions(instance, expect{"Exposed": "False/Progressing", "Ready": "False/Progressing"})
	route := &gatewayv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default"}}
	w.get(route)
	parent, backend := route.Spec.ParentRefs[0], route.Spec.Rules[0].BackendRefs[0]
	if parent.Name != "public" || *parent.Namespace != "gateways" || *parent.SectionName != "https" || *backend.Port != 80 ||
		backend.Name != "vipcloud-default" || route.Spec.Hostnames[0] != "llm.example.com" || metav1.GetControllerOf(route) == nil {
		t.Errorf("route %+v", route.Spec)
	}
	says := func(status metav1.ConditionStatus, reason string) {
		t.Helper()
		w.get(route)
		route.Status.Parents = []gatewayv1.RouteParentStatus{{ParentRef: parent, ControllerName: "example.com/gateway",
			Conditions: []metav1.Condition{{Type: "Accepted", Status: status, Reason: reason, Message: "m", LastTransitionTime: metav1.Now()}}}}
		if err := w.Status().Update(w.ctx, route); err != nil {
			t.Fatal(err)
		}
		w.later(instance)
	}
	says(metav1.ConditionTrue, "Accepted")
	w.expectConditions(instance, expect{"Exposed": "True/Exposed", "Ready": "True/Ready"})
	version := w.version(route)
	w.later(instance)
	w.never("the route is written again", func() error {
		if w.get(route); route.ResourceVersion != version {
			return fmt.Errorf("version %s, was %s", route.ResourceVersion, version)
		}
		return nil
	})
	says(metav1.ConditionFalse, "NotAllowedByListeners")
	w.expectConditions(instance, expect{"Exposed": "False/NotAccepted"})
	if text := describeConditions(instance); !strings.Contains(text, "Gateway public says of the HTTPRoute: NotAllowedByListeners: m") {
		t.Error(text)
	}
	w.change(instance, func() { instance.Spec.Expose = nil })
	w.eventually("the route goes", func() error { return w.gone(route) })
}
