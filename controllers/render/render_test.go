package render

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// update rewrites the golden files.
var update = flag.Bool("update", false, "rewrite testdata")

// makeInstance is an instance with an identity and nothing else.
func makeInstance(edits ...func(*v1alpha1.GatewayInstance)) *v1alpha1.GatewayInstance {
	obj := &v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{
		Namespace: "vipcloud-system", Name: "default", UID: "3f0c8a52-0000-4000-8000-000000000001"}}
	for _, edit := range edits {
		edit(obj)
	}
	return obj
}

// serves sets whose routes and keys are served.
func serves(routes, keys v1alpha1.NamespacesFrom) func(*v1alpha1.GatewayInstance) {
	return func(obj *v1alpha1.GatewayInstance) {
		obj.Spec.Serves = &v1alpha1.Serves{
			Routes: &v1alpha1.AllowedNamespaces{Namespaces: v1alpha1.NamespaceSelection{From: routes}},
			Keys:   &v1alpha1.ServedKeys{Namespaces: &v1alpha1.NamespaceSelection{From: keys}},
		}
	}
}

// everything sets every field that shapes an object.
func everything(obj *v1alpha1.GatewayInstance) {
	five, two := int32(5), int32(2)
	body, inFlight := resource.MustParse("8Mi"), resource.MustParse("1Gi")
	obj.Spec = v1alpha1.GatewayInstanceSpec{
		Replicas: &five,

		Autoscaling:         &v1alpha1.Autoscaling{MaxReplicas: 9, TargetCPUUtilization: &five},
		TLS:                 &v1alpha1.GatewayTLS{SecretName: "gateway-tls"},
		Expose:              &v1alpha1.Expose{HTTPRoute: &v1alpha1.ExposeHTTPRoute{ParentRefs: []v1alpha1.GatewayParent{{Name: "public"}}}},
		NetworkPolicy:       &v1alpha1.NetworkPolicy{IngressFrom: []v1alpha1.NetworkPeer{{CIDR: "192.0.2.0/24"}}},
		PodDisruptionBudget: &v1alpha1.PodDisruptionBudget{MaxUnavailable: &two},

		Service:       &v1alpha1.GatewayService{Type: "LoadBalancer", Annotations: map[string]v1alpha1.AnnotationValue{"lb.example.com/internal": "true"}},
		RequestLimits: &v1alpha1.RequestLimits{BodyBytes: &body, InFlightBodyBytes: &inFlight},
		Drain:         &v1alpha1.Drain{Delay: "5s", Timeout: "90s"},
		Logging:       &v1alpha1.Logging{Level: "debug", Format: "text"},
		Tracing: &v1alpha1.Tracing{
			Endpoint: "http://otel-collector.monitoring:4318", SampleRatio: "0.5", UsageLog: v1alpha1.UsageLogAll,
			HeadersSecretRef: &v1alpha1.EntryReference{Name: "otlp", Key: "headers"},
		},
		PodTemplate: &v1alpha1.PodTemplate{
			Image:            "registry.example.com/vipcloud:v9",
			ImagePullSecrets: []v1alpha1.LocalObjectReference{{Name: "pull"}},
			Resources: &v1alpha1.PodResources{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")},
				Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("4Gi")},
			},
			NodeSelector:              map[string]v1alpha1.LabelValue{"pool": "edge"},
			Tolerations:               []corev1.Toleration{{Key: "edge", Operator: corev1.TolerationOpExists}},
			Affinity:                  &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}},
			TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: "zone", WhenUnsatisfiable: corev1.ScheduleAnyway}},
			PriorityClassName:         "high",
			Labels:                    map[string]v1alpha1.LabelValue{"team": "platform"},
			Annotations:               map[string]v1alpha1.AnnotationValue{"note": "hello"},
			Env: []v1alpha1.EnvVar{
				{Name: "HTTP_PROXY", Value: "http://proxy:3128"},
				{Name: "TOKEN", SecretKeyRef: &v1alpha1.EntryReference{Name: "extra", Key: "token"}},
				{Name: "POD_NAME", Value: "forged"},
			},
		},
	}
}

func TestObjects_GoldenFiles(t *testing.T) {
	cases := map[string]Input{
		"defaults":       {Instance: makeInstance(), Image: "vipcloud:v1"},
		"everything":     {Instance: makeInstance(everything), Image: "vipcloud:v1", Egress: []Egress{{Port: 443}, {Port: 8443}, {Port: 9000, Private: true}}},
		"own-namespace":  {Instance: makeInstance(serves("Same", "Same")), Image: "vipcloud:v1"},
		"namespaced-all": {Instance: makeInstance(serves("Same", "All")), Image: "vipcloud:v1", WatchNamespaces: []string{"shop", "vipcloud-system", "blog"}},
	}
	for name, in := range cases {
		t.Run(name, func(t *testing.T) {
			got := manifests(t, in)
			if again := manifests(t, in); !bytes.Equal(got, again) {
				t.Error("rendering twice gives different bytes")
			}
			golden := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// manifests renders and prints as YAML documents.
func manifests(t *testing.T, in Input) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, obj := range render(t, in) {
		manifest, err := Manifest(obj)
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(manifest.Object)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n")
		out.Write(text)
	}
	return out.Bytes()
}

// render is Objects of what must be valid.
func render(t *testing.T, in Input) []client.Object {
	t.Helper()
	objects, err := Objects(in)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// deploymentOf finds the Deployment.
func deploymentOf(t *testing.T, in Input) *appsv1.Deployment {
	t.Helper()
	for _, obj := range render(t, in) {
		if d, ok := obj.(*appsv1.Deployment); ok {
			return d
		}
	}
	t.Fatal("no Deployment")
	return nil
}

func TestObjects_DoNotShareWithTheInstance(t *testing.T) {
	instance := makeInstance(everything)
	before := instance.DeepCopy()
	d := deploymentOf(t, Input{Instance: instance, Image: "i"})
	d.Spec.Template.Labels["changed"] = "yes"
	d.Spec.Template.Spec.NodeSelector["changed"] = "yes"
	if diff := cmp.Diff(before, instance); diff != "" {
		t.Errorf("the instance changed:\n%s", diff)
	}
}

func TestObjects_ReaderBindings(t *testing.T) {
	cases := map[string]struct {
		routes, keys v1alpha1.NamespacesFrom
		watch        []string
		want         []string
	}{
		"own namespace only": {"Same", "Same", nil,
			[]string{"RoleBinding vipcloud-system/vipcloud-default-reader"}},
		"keys of all": {"Same", "All", nil,
			[]string{"ClusterRoleBinding /vipcloud-vipcloud-system.default"}},
		"routes by selector": {"Selector", "Same", nil,
			[]string{"ClusterRoleBinding /vipcloud-vipcloud-system.default"}},
		"namespaced mode": {"Same", "All", []string{"b", "vipcloud-system", "a"}, []string{
			"RoleBinding vipcloud-system/vipcloud-default-reader",
			"RoleBinding a/vipcloud-vipcloud-system.default", "RoleBinding b/vipcloud-vipcloud-system.default"}},
		"namespaced mode, own namespace only": {"Same", "Same", []string{"a", "vipcloud-system"},
			[]string{"RoleBinding vipcloud-system/vipcloud-default-reader"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, obj := range render(t, Input{Instance: makeInstance(serves(tc.routes, tc.keys)), Image: "i", WatchNamespaces: tc.watch}) {
				kind := obj.GetObjectKind().GroupVersionKind().Kind
				if !strings.HasSuffix(kind, "RoleBinding") || obj.GetName() == "vipcloud-default" {
					continue
				}
				got = append(got, kind+" "+obj.GetNamespace()+"/"+obj.GetName())
				owned := len(obj.GetOwnerReferences()) == 1
				labelled := obj.GetLabels()[v1alpha1.LabelInstanceUID] != "" && obj.GetLabels()[v1alpha1.LabelInstanceNamespace] != ""
				if here := obj.GetNamespace() == "vipcloud-system"; owned != here || labelled == here {
					t.Errorf("%s: owned %v, labelled %v", obj.GetName(), owned, labelled)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestRemoteNames_DoNotCollide(t *testing.T) {
	name := func(namespace, instance string) string {
		return remoteName(&v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: instance}})
	}
	if a, b := name("a-b", "c"), name("a", "b-c"); a == b {
		t.Errorf("instances a-b/c and a/b-c share the name %s", a)
	}
}

func TestDeployment_Drain(t *testing.T) {
	cases := map[string]struct {
		drain     *v1alpha1.Drain
		wantGrace int64
		wantErr   string
	}{
		"defaults":           {nil, 10 + 300 + 30, ""},
		"both set":           {&v1alpha1.Drain{Delay: "1s", Timeout: "1m"}, 91, ""},
		"fractions round up": {&v1alpha1.Drain{Delay: "100ms", Timeout: "0s"}, 31, ""},
		"beyond a day":       {&v1alpha1.Drain{Timeout: "25h"}, 0, "spec.drain.timeout"},
		"overflow":           {&v1alpha1.Drain{Delay: "99999999999999999999h"}, 0, "spec.drain.delay"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := Input{Image: "i", Instance: makeInstance(func(obj *v1alpha1.GatewayInstance) { obj.Spec.Drain = tc.drain })}
			objects, err := Objects(in)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) || objects != nil {
					t.Fatalf("error %v, want one on %s", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := *deploymentOf(t, in).Spec.Template.Spec.TerminationGracePeriodSeconds; got != tc.wantGrace {
				t.Errorf("grace %d, want %d", got, tc.wantGrace)
			}
		})
	}
}

func TestDeployment_Memory(t *testing.T) {
	limits := func(memory string) *v1alpha1.PodResources {
		if memory == "" {
			return &v1alpha1.PodResources{}
		}
		return &v1alpha1.PodResources{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memory)}}
	}
	cases := map[string]struct {
		resources    *v1alpha1.PodResources
		env          []v1alpha1.EnvVar
		wantInFlight string
		wantLimit    string
	}{
		"default limit of 1Gi": {nil, nil, "--inflight-body-bytes=429496720", "966367620"},
		"a limit of 1000":      {limits("1000"), nil, "--inflight-body-bytes=400", "900"},
		"no limit":             {limits(""), nil, "--inflight-body-bytes=536870912", ""},
		"the admin's own":      {nil, []v1alpha1.EnvVar{{Name: "GOMEMLIMIT", Value: "off"}}, "--inflight-body-bytes=429496720", "off"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			d := deploymentOf(t, Input{Image: "i", Instance: makeInstance(func(obj *v1alpha1.GatewayInstance) {
				obj.Spec.PodTemplate = &v1alpha1.PodTemplate{Resources: tc.resources, Env: tc.env}
			})})
			c := d.Spec.Template.Spec.Containers[0]
			if args := strings.Join(c.Args, " "); !strings.Contains(args+" ", tc.wantInFlight+" ") {
				t.Errorf("args %s, want %s", args, tc.wantInFlight)
			}
			limit, count := "", 0
			for _, e := range c.Env {
				if e.Name == "GOMEMLIMIT" {
					limit, count = e.Value, count+1
				}
			}
			if limit != tc.wantLimit || count > 1 {
				t.Errorf("GOMEMLIMIT %q (%d times), want %q", limit, count, tc.wantLimit)
			}
		})
	}
}

func TestDeployment_MeetsTheRestrictedStandard(t *testing.T) {
	for name, edit := range map[string]func(*v1alpha1.GatewayInstance){"defaults": func(*v1alpha1.GatewayInstance) {}, "everything": everything} {
		t.Run(name, func(t *testing.T) {
			pod := deploymentOf(t, Input{Image: "i", Instance: makeInstance(edit)}).Spec.Template.Spec
			c := pod.Containers[0].SecurityContext
			switch {
			case pod.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault,
				!*pod.SecurityContext.RunAsNonRoot, *pod.SecurityContext.RunAsUser == 0,
				*c.AllowPrivilegeEscalation, !*c.ReadOnlyRootFilesystem, len(c.Capabilities.Drop) != 1, c.Capabilities.Drop[0] != "ALL",
				slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Secret == nil && v.EmptyDir == nil }), pod.HostNetwork:
				t.Errorf("pod %+v, container %+v", pod.SecurityContext, c)
			}
		})
	}
}

func TestRole_ReadsOneSecretOnly(t *testing.T) {
	for _, rule := range role(makeInstance()).Rules {
		if rule.Resources[0] == "secrets" {
			if diff := cmp.Diff([]string{"vipcloud-default-credentials"}, rule.ResourceNames); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			return
		}
	}
	t.Error("no rule on secrets")
}

func TestManifest_HoldsNoNullAndNoStatus(t *testing.T) {
	text := string(manifests(t, Input{Instance: makeInstance(everything), Image: "i"}))
	for _, unwanted := range []string{"null", "status:", "creationTimestamp", "forged"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("manifests contain %q", unwanted)
		}
	}
}
