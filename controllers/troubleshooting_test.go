package controllers

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/provider/all"
	"vipcloud.ai/vipcloud/gateway/table"
)

// update rewrites the table of docs/troubleshooting.md.
var update = flag.Bool("update", false, "rewrite docs/troubleshooting.md")

// mistake is a row of docs/troubleshooting.md: what somebody did wrong, and where it shows.
type mistake struct {
	title string
	// apply are manifests, of namespace vipcloud-system unless they say shop. The last one is looked at.
	apply string
	// before and after do what manifests cannot: what a kubelet, a quota or time do.
	before, after func(w *sandbox)
	// condition of the object that tells. Empty: the API server refuses the object.
	condition string
	// holds says that the condition is True all the same.
	holds bool
}

// Parts of manifests that are no mistake.
const (
	goodInstance = `
apiVersion: vipcloud.ai/v1alpha1
kind: GatewayInstance
metadata: {name: default}
spec: {replicas: 1, serves: {keys: {namespaces: {from: Same}}}}
---`
	goodCredential = `
apiVersion: v1
kind: Secret
metadata: {name: deepseek}
stringData: {api-key: sk-1}
---
apiVersion: vipcloud.ai/v1alpha1
kind: ProviderCredential
metadata: {name: deepseek}
spec: {provider: DeepSeek, endpoint: "https://api.example.com", secretRef: {name: deepseek}}
---`
)

// route is a ModelRoute of one target.
func route(name, spec string) string {
	return fmt.Sprintf("\napiVersion: vipcloud.ai/v1alpha1\nkind: ModelRoute\nmetadata: {name: %s}\nspec: {%s}\n", name, spec)
}

// object is one of our kinds.
func object(kind, name, spec string) string {
	return fmt.Sprintf("\napiVersion: vipcloud.ai/v1alpha1\nkind: %s\nmetadata: {name: %s}\nspec: {%s}\n", kind, name, spec)
}

const targetDeepSeek = "targets: [{name: primary, credential: {name: deepseek}}]"

// mistakes are the rows, by the kind that tells of them.
var mistakes = []struct {
	kind string
	rows []mistake
}{
	{v1alpha1.KindModelRoute, []mistake{
		{title: "a typo in the name of a target's credential", condition: "ResolvedRefs",
			apply: goodInstance + goodCredential + route("chat", "targets: [{name: primary, credential: {name: deepsek}}]")},
		{title: "a credential of a namespace that does not allow it", condition: "ResolvedRefs",
			apply: goodInstance + strings.ReplaceAll(goodCredential, "{name: deepseek}\n", "{name: deepseek, namespace: shop}\n") +
				route("chat", "targets: [{name: primary, credential: {name: deepseek, namespace: shop}}]")},
		{title: "a credential that exists but is not in order", condition: "ResolvedRefs",
			apply: goodInstance + strings.ReplaceAll(goodCredential, "api-key:", "apikey:") + route("chat", targetDeepSeek)},
		{title: "a route in a namespace that no instance serves", condition: "Accepted",
			apply: goodInstance + strings.ReplaceAll(route("chat", targetDeepSeek), "{name: chat}", "{name: chat, namespace: shop}")},
		{title: "no GatewayInstance at all", condition: "Accepted", apply: route("chat", targetDeepSeek)},
		{title: "a name that another route has", condition: "Accepted",
			apply: goodInstance + goodCredential + route("chat", "model: m, "+targetDeepSeek) + "---" + route("chat-2", "model: m, "+targetDeepSeek)},
		{title: "an alias that is another route's name", condition: "Accepted", holds: true,
			apply: goodInstance + goodCredential + route("chat", "model: m, "+targetDeepSeek) + "---" + route("chat-2", "aliases: [m], "+targetDeepSeek)},
		{title: "a fallback that does not exist", condition: "ResolvedRefs",
			apply: goodInstance + goodCredential + route("chat", "fallbacks: [backup], "+targetDeepSeek)},
		{title: "prices in another currency than the instance's", condition: "Priced",
			apply: goodInstance + goodCredential + route("chat", `pricing: {currency: CNY, perRequest: "1"}, `+targetDeepSeek)},
		{title: "no price", condition: "Priced", apply: goodInstance + goodCredential + route("chat", targetDeepSeek)},
		{title: "an image model at a vendor of chat models", condition: "ResolvedRefs",
			apply: goodInstance + goodCredential + route("paint", "modality: Image, "+targetDeepSeek)},
		{title: "no replica of the instance runs", condition: "Programmed", apply: goodInstance + goodCredential + route("chat", targetDeepSeek)},
		{title: "a misspelt field", apply: route("chat", "target: []")},
	}},
	{v1alpha1.KindProviderCredential, []mistake{
		{title: "a Secret that does not exist", condition: "ResolvedRefs",
			apply: object("ProviderCredential", "deepseek", `provider: DeepSeek, endpoint: "https://api.example.com", secretRef: {name: depseek}`)},
		{title: "a Secret with the key under another name", condition: "ResolvedRefs", apply: strings.TrimSuffix(strings.ReplaceAll(goodCredential, "api-key:", "apikey:"), "---")},
		{title: "a Secret whose entry is empty", condition: "ResolvedRefs", apply: strings.TrimSuffix(strings.ReplaceAll(goodCredential, "sk-1", `""`), "---")},
		{title: "an endpoint in clear text",
			apply: object("ProviderCredential", "deepseek", `provider: DeepSeek, endpoint: "http://api.example.com", secretRef: {name: deepseek}`)},
		{title: "an endpoint at a private address", condition: "Accepted",
			apply: object("ProviderCredential", "deepseek", `provider: DeepSeek, endpoint: "https://10.0.0.5", secretRef: {name: deepseek}`)},
		{title: "a provider without a default endpoint, and none given",
			apply: object("ProviderCredential", "compatible", `provider: OpenAI, secretRef: {name: openai}`)},
		{title: "a region that the provider does not have", condition: "Accepted",
			apply: object("ProviderCredential", "deepseek", `provider: DeepSeek, region: moon, secretRef: {name: deepseek}`)},
		{title: "a CA bundle without a certificate", condition: "ResolvedRefs",
			apply: "\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ca}\ndata: {ca.crt: hello}\n---" +
				strings.TrimSuffix(strings.ReplaceAll(goodCredential, "secretRef: {name: deepseek}}", "secretRef: {name: deepseek}, tls: {caBundle: {configMapRef: {name: ca, key: ca.crt}}}}"), "---")},
		{title: "a provider that does not exist", apply: object("ProviderCredential", "deepseek", `provider: DeepSeeek, secretRef: {name: deepseek}`)},
	}},
	{v1alpha1.KindApiKey, []mistake{
		{title: "a key in a namespace that no instance serves", condition: "Accepted",
			apply: goodInstance + "\napiVersion: vipcloud.ai/v1alpha1\nkind: ApiKey\nmetadata: {name: web, namespace: shop}\nspec: {}\n"},
		{title: "a gatewayRef with a typo", condition: "Accepted",
			apply: goodInstance + object("ApiKey", "web", "gatewayRef: {name: defalt}")},
		{title: "a gatewayRef to an instance that does not take the key", condition: "Accepted",
			apply: goodInstance + "\napiVersion: vipcloud.ai/v1alpha1\nkind: ApiKey\nmetadata: {name: web, namespace: shop}\nspec: {gatewayRef: {name: default, namespace: vipcloud-system}}\n"},
		{title: "an unknown model", condition: "ModelsResolved", apply: goodInstance + goodCredential + route("chat", targetDeepSeek) + "---" + object("ApiKey", "web", `models: ["gpt-*"]`)},
		{title: "an expired key", condition: "Accepted", apply: goodInstance + object("ApiKey", "web", `expiresAt: "2020-01-01T00:00:00Z"`)},
		{title: "a revoked key", condition: "Accepted", apply: goodInstance + object("ApiKey", "web", `revoked: true`)},
		{title: "a key to bring along whose Secret does not exist", condition: "ResolvedRefs",
			apply: goodInstance + object("ApiKey", "web", `source: {type: SecretRef, secretRef: {name: mine, key: api-key}}`)},
		{title: "a key to bring along under another entry", condition: "ResolvedRefs",
			apply: "\napiVersion: v1\nkind: Secret\nmetadata: {name: mine}\nstringData: {token: vc-sk-0123456789abcdefghijklmnopqrstuvwxyzABCD}\n---" +
				goodInstance + object("ApiKey", "web", `source: {type: SecretRef, secretRef: {name: mine, key: api-key}}`)},
		{title: "a key that is too short", condition: "ResolvedRefs",
			apply: "\napiVersion: v1\nkind: Secret\nmetadata: {name: mine}\nstringData: {api-key: hunter2}\n---" +
				goodInstance + object("ApiKey", "web", `source: {type: SecretRef, secretRef: {name: mine, key: api-key}}`)},
		{title: "a Secret in the place of the generated one", condition: "ResolvedRefs",
			apply: "\napiVersion: v1\nkind: Secret\nmetadata: {name: web-secret}\nstringData: {a: b}\n---" +
				goodInstance + object("ApiKey", "web", `source: {type: Generated, generated: {secretName: web-secret}}`)},
		{title: "a budget in another currency than the instance's", condition: "Accepted",
			apply: goodInstance + object("ApiKey", "web", `budget: {amount: "50", currency: CNY, period: Month}`)},
		{title: "more keys than the instance accepts of a namespace", condition: "Accepted",
			apply: strings.ReplaceAll(goodInstance, "{from: Same}", "{from: Same}, constraints: {maxKeys: 1}") + object("ApiKey", "web", "") + "---" + object("ApiKey", "web-2", "")},
		{title: "a quota that leaves no room for the key's Secret", condition: "Ready", before: noSecrets, apply: goodInstance + object("ApiKey", "web", "")},
		{title: "rotation of a key by hashes", apply: object("ApiKey", "web", `rotation: {every: 720h}, source: {type: Hashes, hashes: [{sha256: "`+strings.Repeat("0", 64)+`"}]}`)},
	}},
	{v1alpha1.KindGatewayInstance, []mistake{
		{title: "a Service of somebody else in the way", condition: "Ready",
			apply: "\napiVersion: v1\nkind: Service\nmetadata: {name: vipcloud-default}\nspec: {ports: [{port: 80}]}\n---" + object("GatewayInstance", "default", "replicas: 1")},
		{title: "a drain that never ends", condition: "Ready", apply: object("GatewayInstance", "default", "drain: {timeout: 48h}")},
		{title: "an image that cannot be pulled", condition: "Ready", apply: object("GatewayInstance", "default", "replicas: 1"), after: pod(func(s *corev1.PodStatus) {
			s.ContainerStatuses = []corev1.ContainerStatus{{Name: "gateway", Image: "registry.example.com/vipcloud:v9", State: corev1.ContainerState{
				Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "Back-off pulling image"}}}}
		})},
		{title: "no node with enough room", condition: "Ready", apply: object("GatewayInstance", "default", "replicas: 1"), after: pod(func(s *corev1.PodStatus) {
			s.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable",
				Message: "0/3 nodes are available: 3 Insufficient memory."}}
		})},
		{title: "a port that is taken", condition: "Ready", apply: object("GatewayInstance", "default", "replicas: 1"), after: pod(func(s *corev1.PodStatus) {
			s.ContainerStatuses = []corev1.ContainerStatus{{Name: "gateway", LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 1, Reason: "Error", Message: "vipcloud: opening --listen :8080: listen tcp :8080: bind: address already in use\n"}}}}
		})},
		{title: "too little memory", condition: "Ready", apply: object("GatewayInstance", "default", "replicas: 1"), after: pod(func(s *corev1.PodStatus) {
			s.ContainerStatuses = []corev1.ContainerStatus{{Name: "gateway", LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 137, Reason: "OOMKilled"}}}}
		})},
		{title: "headers for traces in a Secret that does not exist", condition: "Ready",
			apply: object("GatewayInstance", "default", `replicas: 1, tracing: {endpoint: "http://collector:4318", headersSecretRef: {name: otlp, key: headers}}`),
			after: pod(func(s *corev1.PodStatus) {
				s.ContainerStatuses = []corev1.ContainerStatus{{Name: "gateway", State: corev1.ContainerState{
					Waiting: &corev1.ContainerStateWaiting{Reason: "CreateContainerConfigError", Message: `secret "otlp" not found`}}}}
			})},
		{title: "a TLS Secret that does not exist", condition: "TLSReady", apply: object("GatewayInstance", "default", "replicas: 1, tls: {secretName: gateway-tls}")},
		{title: "a Redis whose Secret does not exist", condition: "RedisAvailable",
			apply: object("GatewayInstance", "default", `replicas: 1, redis: {address: "redis:6379", secretRef: {name: redis}}`)},
		{title: "autoscaling by requests without a metrics adapter", condition: "Autoscaling",
			apply: object("GatewayInstance", "default", "replicas: 1, autoscaling: {maxReplicas: 5, targetInFlightRequests: 50}")},
		{title: "a quota that leaves no room for pods", condition: "Ready", apply: object("GatewayInstance", "default", "replicas: 1"), after: func(w *sandbox) {
			w.deployment(func(d *appsv1.Deployment) {
				d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate",
					Message: `pods "vipcloud-default-5d4f8" is forbidden: exceeded quota: small, requested: requests.memory=128Mi, used: requests.memory=1Gi, limited: requests.memory=1Gi`}}
			})
		}},
		{title: "a quota that leaves no room for the instance's Secrets", condition: "Ready", before: noSecrets, apply: object("GatewayInstance", "default", "replicas: 1")},
		{title: "a key ring that was edited", condition: "Ready",
			apply: "\napiVersion: v1\nkind: Secret\nmetadata: {name: vipcloud-default-keyring, labels: {app.kubernetes.io/managed-by: vipcloud-operator, vipcloud.ai/gateway-instance: default}}\n" +
				"stringData: {keyring.json: oops}\n---" + object("GatewayInstance", "default", "replicas: 1")},
		{title: "a name that is too long", apply: object("GatewayInstance", strings.Repeat("a", 41), "replicas: 1")},
		{title: "an env variable with two sources", apply: object("GatewayInstance", "default", `podTemplate: {env: [{name: A, value: b, secretKeyRef: {name: c, key: d}}]}`)},
		{title: "limitsFailurePolicy without a Redis", apply: object("GatewayInstance", "default", "limitsFailurePolicy: Deny")},
	}},
}

// sandbox is a world with namespaces of one mistake's own.
type sandbox struct {
	*world
	shop string
}

// noSecrets gives the namespace a quota of no Secrets, with what the quota controller would fill in.
func noSecrets(w *sandbox) {
	none := corev1.ResourceList{"count/secrets": resource.MustParse("0")}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "small"}, Spec: corev1.ResourceQuotaSpec{Hard: none}}
	w.create(quota)
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
	if err := w.Status().Update(w.ctx, quota); err != nil {
		w.t.Fatal(err)
	}
}

// pod makes a pod of the instance as a ReplicaSet does, in a state as a kubelet or scheduler reports it.
func pod(state func(*corev1.PodStatus)) func(*sandbox) {
	return func(w *sandbox) {
		w.deployment(func(d *appsv1.Deployment) {
			p := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default-5d4f8", Labels: d.Spec.Template.Labels}, Spec: d.Spec.Template.Spec,
			}
			p.Spec.ServiceAccountName = ""
			w.create(p)
			state(&p.Status)
			if err := w.Status().Update(w.ctx, p); err != nil {
				w.t.Fatal(err)
			}
		})
	}
}

// deployment waits for the instance's Deployment, and writes its status once edit is done.
func (w *sandbox) deployment(edit func(*appsv1.Deployment)) {
	w.t.Helper()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "vipcloud-default"}}
	w.eventually("the Deployment", func() error { return w.Get(w.ctx, client.ObjectKeyFromObject(d), d) })
	edit(d)
	if err := w.Status().Update(w.ctx, d); err != nil {
		w.t.Fatal(err)
	}
}

// names are those of the namespaces as the documentation calls them, and back.
func (w *sandbox) fromDocs(text string) string {
	return strings.NewReplacer("vipcloud-system", w.ns, "namespace: shop", "namespace: "+w.shop).Replace(text)
}

func (w *sandbox) toDocs(text string) string {
	for name, called := range map[string]string{w.ns: "vipcloud-system", w.shop: "shop"} {
		text = regexp.MustCompile(`\b`+name+`\b`).ReplaceAllString(text, called)
	}
	return text
}

// make applies manifests and returns the last object, or why it was refused.
func (w *sandbox) make(text string) (client.Object, error) {
	w.t.Helper()
	var last client.Object
	for doc := range strings.SplitSeq(text, "\n---") {
		tree := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(doc), tree); err != nil {
			w.t.Fatal(err)
		}
		if tree.GetNamespace() == "" {
			tree.SetNamespace(w.ns)
		}
		if err := w.Create(w.ctx, tree, client.FieldValidation(metav1.FieldValidationStrict)); err != nil {
			return nil, err
		}
		obj, err := w.Scheme().New(tree.GroupVersionKind())
		if err != nil {
			w.t.Fatal(err)
		}
		last = obj.(client.Object)
		last.SetNamespace(tree.GetNamespace())
		last.SetName(tree.GetName())
	}
	return last, nil
}

// shows applies a mistake and returns where it shows and what it says there.
func (w *sandbox) shows(m mistake) (where, message string) {
	w.t.Helper()
	if m.before != nil {
		m.before(w)
	}
	obj, err := w.make(w.fromDocs(m.apply))
	if m.condition == "" {
		if err == nil {
			w.t.Fatal("the API server takes it")
		}
		return "`kubectl apply`", refusalText(err)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if m.after != nil {
		m.after(w)
	}
	var found string
	w.eventually("a message that stays", func() error {
		w.get(obj)
		c := meta.FindStatusCondition(conditionsOf(obj), m.condition)
		if c == nil || (c.Status == metav1.ConditionTrue) != m.holds {
			return fmt.Errorf("%s is not as wanted: %s", m.condition, describeConditions(obj))
		}
		where, message = fmt.Sprintf("%s=%s, `%s`", m.condition, c.Status, c.Reason), w.toDocs(c.Message)
		if m.after != nil && !strings.Contains(message, "; ") {
			return errors.New("still " + message)
		}
		if found != message {
			found = message
			return errors.New("just now " + message)
		}
		return nil
	})
	return where, message
}

// refusalText is what the API server says, without the object's name in front.
func refusalText(err error) string {
	if status := apierrors.APIStatus(nil); errors.As(err, &status) && status.Status().Details != nil && len(status.Status().Details.Causes) > 0 {
		var causes []string
		for _, c := range status.Status().Details.Causes {
			switch {
			case strings.Contains(c.Message, "some validation rules were not checked"):
			case c.Field == "<nil>":
				causes = append(causes, c.Message)
			default:
				causes = append(causes, c.Field+": "+c.Message)
			}
		}
		return strings.Join(causes, "; ")
	}
	return err.Error()
}

const troubleshootingPage = "../docs/troubleshooting.md"

// TestTroubleshooting_EveryMistakeSaysWhatItsRowSays applies each mistake of the page to a real API server with the operator.
func TestTroubleshooting_EveryMistakeSaysWhatItsRowSays(t *testing.T) {
	page, err := os.ReadFile(filepath.FromSlash(troubleshootingPage))
	if err != nil {
		t.Fatal(err)
	}
	w := newQuietWorld(t)
	w.providers = table.Providers{}
	for name, adapter := range all.Adapters() {
		w.providers[v1alpha1.Provider(name)] = adapter.Info
	}
	w.start(nil)
	rows, total := map[string]string{}, 0
	for _, group := range mistakes {
		table := "| Mistake | Where it shows | What it says |\n|---|---|---|\n"
		for _, m := range group.rows {
			total++
			t.Run(group.kind+"/"+m.title, func(t *testing.T) {
				own := *w
				own.t = t
				own.ns = own.namespace(nil)
				s := &sandbox{world: &own, shop: own.namespace(nil)}
				where, message := s.shows(m)
				if strings.Contains(message, "hunter2") {
					t.Error("the message tells a secret")
				}
				row := fmt.Sprintf("| %s | %s | %s |\n", m.title, where, strings.NewReplacer("|", `\|`, "\n", " ").Replace(message))
				table += row
				if !*update && !strings.Contains(string(page), row) {
					t.Errorf("the page does not say this:\n%s", row)
				}
			})
		}
		rows[group.kind] = table
	}
	if total < 30 {
		t.Errorf("only %d mistakes", total)
	}
	if t.Failed() {
		return
	}
	want := string(page)
	for kind, table := range rows {
		begin, end := "<!-- begin "+kind+" -->\n", "<!-- end "+kind+" -->"
		head, rest, ok1 := strings.Cut(want, begin)
		_, tail, ok2 := strings.Cut(rest, end)
		if !ok1 || !ok2 {
			t.Fatalf("the page has no place for %s", kind)
		}
		want = head + begin + table + end + tail
	}
	if *update {
		if err := os.WriteFile(filepath.FromSlash(troubleshootingPage), []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(page) {
		t.Error("the page has rows that no test has; run make troubleshooting")
	}
}
