package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// attic is the namespace that is backed up, lost and restored. All that its gateway needs is in it.
const attic = "attic"

// call makes a request of the API and returns the answer.
func call(t *testing.T, base, key, method, path string, body any) (int, []byte, error) {
	t.Helper()
	var data []byte
	if body != nil {
		data, _ = json.Marshal(body) // maps of plain values marshal
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, base+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// furnish makes the attic: a gateway, an account, a route of videos and one of chat, and a key.
func (s *suite) furnish(t *testing.T) {
	t.Helper()
	s.namespace(t, attic)
	dir := led(t, path("config", "samples", "catalog", "ark.yaml"), path("config", "samples", "quickstart"))
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(data); strings.Contains(text, "namespace: "+system) && !strings.Contains(text, "kind: GatewayInstance") {
			s.apply(t, strings.ReplaceAll(text, "namespace: "+system, "namespace: "+attic))
		}
	}
	s.apply(t, fmt.Sprintf(`{apiVersion: vipcloud.ai/v1alpha1, kind: GatewayInstance, metadata: {name: attic, namespace: %s},
spec: {replicas: 1, drain: {delay: 0s}, serves: {keys: {namespaces: {from: Same}}}}}`, attic))
	s.apply(t, fmt.Sprintf(`{apiVersion: vipcloud.ai/v1alpha1, kind: ApiKey, metadata: {name: attic, namespace: %s}, spec: {gatewayRef: {name: attic}}}`, attic))
	s.k(t, "wait", "--for=condition=Ready", "--timeout=3m", "-n", attic, "gatewayinstance/attic", "apikey/attic", "modelroute/seedance-2", "modelroute/"+model)
}

// kept are the kinds of a backup, in the order in which they are restored. Pods and replicas are not part of it.
var kept = []schema.GroupVersionKind{
	corev1.SchemeGroupVersion.WithKind("Secret"), corev1.SchemeGroupVersion.WithKind("ServiceAccount"), corev1.SchemeGroupVersion.WithKind("Service"),
	rbacv1.SchemeGroupVersion.WithKind("Role"), rbacv1.SchemeGroupVersion.WithKind("RoleBinding"),
	v1alpha1.GroupVersion.WithKind("UsageReport"), v1alpha1.GroupVersion.WithKind("GatewayInstance"),
	v1alpha1.GroupVersion.WithKind("ProviderCredential"), v1alpha1.GroupVersion.WithKind("ModelRoute"), v1alpha1.GroupVersion.WithKind("ApiKey"),
	appsv1.SchemeGroupVersion.WithKind("Deployment"),
}

// backup is what a backup of a namespace brings back, what the operator made included, without status and owners.
func (s *suite) backup(t *testing.T, namespace string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, kind := range kept {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		if err := s.objects.List(t.Context(), list, client.InNamespace(namespace)); err != nil {
			t.Fatal(err)
		}
		if len(list.Items) == 0 {
			t.Fatalf("there is no %s to back up", kind)
		}
		for i := range list.Items {
			o := list.Items[i].DeepCopy()
			before := o.Object["metadata"].(map[string]any)
			metadata := map[string]any{}
			for _, member := range []string{"name", "namespace", "labels", "annotations"} {
				if value, ok := before[member]; ok {
					metadata[member] = value
				}
			}
			o.Object["metadata"] = metadata
			delete(o.Object, "status")
			if spec, ok := o.Object["spec"].(map[string]any); ok && kind.Kind == "Service" {
				delete(spec, "clusterIP") // as restores do: another Service may have it
				delete(spec, "clusterIPs")
			}
			if o.GetName() != "default" && o.GetName() != "kube-root-ca.crt" {
				all = append(all, o)
			}
		}
	}
	return all
}

// job is a video under way.
type job struct {
	ID     string `json:"id"`
	Poll   string `json:"poll_url"`
	Status string `json:"status"`
}

// restore loses a namespace and brings it back from a backup that has neither status nor owners: the same key works, what it used is
// known, and a job from before is answered.
func restore(t *testing.T, s *suite) {
	s.furnish(t)
	base, key := s.forward(t, attic, "vipcloud-attic"), s.secret(t, attic, "attic", "api-key")
	for range 3 {
		if status, body, err := call(t, base, key, "POST", "/chat/completions", map[string]any{
			"model": model, "messages": []any{map[string]any{"role": "user", "content": "Hello!"}},
		}); status != http.StatusOK {
			t.Fatalf("calling before the loss: %d %s %v", status, body, err)
		}
	}
	status, body, err := call(t, base, key, "POST", "/videos/generations", map[string]any{"model": "seedance-2", "prompt": "a cat", "duration": 5})
	var made job
	if err != nil || status >= 300 || json.Unmarshal(body, &made) != nil || made.Poll == "" {
		t.Fatalf("submitting a video: %d %s %v", status, body, err)
	}
	used := s.usedWhen(t, base, key, func(u usage) bool { return u.Requests >= 3 && u.Completion > 0 })
	s.reported(t)

	saved := s.backup(t, attic)
	s.k(t, "delete", "namespace", attic, "--timeout=6m")
	s.namespace(t, attic)
	for _, o := range saved {
		// What the operator has made again meanwhile is left as it is, as restores do. Secrets come first: none of them may be made again.
		if err := s.objects.Create(t.Context(), o); err != nil && (o.GetKind() == "Secret" || !apierrors.IsAlreadyExists(err)) {
			t.Errorf("restoring %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
	s.settled(t, attic, "attic", 1, s.imageNow(t))
	s.k(t, "wait", "--for=condition=Ready", "--timeout=2m", "-n", attic, "apikey/attic", "modelroute/seedance-2")
	if got := s.secret(t, attic, "attic", "api-key"); got != key {
		t.Error("the restored ApiKey has another key")
	}
	base = s.forward(t, attic, "vipcloud-attic")
	if got := s.usedWhen(t, base, key, func(u usage) bool { return u.Requests >= used.Requests }); got != used {
		t.Errorf("usage is %+v after the restore, was %+v", got, used)
	}
	eventually(t, patience, "the job from before the loss completes", func() error {
		status, body, err := call(t, strings.TrimSuffix(base, "/v1"), key, "GET", made.Poll, nil)
		var now job
		if err != nil || status != http.StatusOK || json.Unmarshal(body, &now) != nil || now.Status != "completed" {
			return errors.Join(fmt.Errorf("%d %s: %w", status, body, errNotYet), err)
		}
		return nil
	})
	s.k(t, "delete", "namespace", attic, "--timeout=6m")
}

// usedWhen returns what a key has used as soon as it is enough.
func (s *suite) usedWhen(t *testing.T, base, key string, enough func(usage) bool) usage {
	t.Helper()
	var got usage
	eventually(t, patience, "the key's usage is known", func() error {
		status, body, err := call(t, base, key, "GET", "/key/usage", nil)
		if err != nil || status != http.StatusOK {
			return errors.Join(fmt.Errorf("%d %s: %w", status, body, errNotYet), err)
		}
		if got, err = sumUsage(body); err != nil || !enough(got) {
			return errors.Join(fmt.Errorf("%+v: %w", got, errNotYet), err)
		}
		return nil
	})
	return got
}

// reported waits until nothing has changed in the attic's reports for a while: what was used is written then.
func (s *suite) reported(t *testing.T) {
	t.Helper()
	last, since := "", time.Now()
	eventually(t, patience, "usage is written", func() error {
		list := &v1alpha1.UsageReportList{}
		if err := s.objects.List(t.Context(), list, client.InNamespace(attic)); err != nil {
			return err
		}
		now := ""
		for i := range list.Items {
			now += list.Items[i].Name + " " + list.Items[i].ResourceVersion + "\n"
		}
		if now == "" || now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) < 3*time.Second {
			return errNotYet
		}
		return nil
	})
}

// namespacesDeleted deletes an instance's namespace and that of its keys, in both orders and at once. Nothing hangs, and no right stays.
func namespacesDeleted(t *testing.T, s *suite) {
	for _, n := range []string{"1", "2", "3"} {
		s.namespace(t, "gate"+n, "team"+n)
		s.apply(t, fmt.Sprintf(`{apiVersion: vipcloud.ai/v1alpha1, kind: GatewayInstance, metadata: {name: gate%[1]s, namespace: gate%[1]s},
spec: {replicas: 1, drain: {delay: 0s}, serves: {keys: {namespaces: {from: All}}}}}`, n))
		s.apply(t, fmt.Sprintf(`{apiVersion: vipcloud.ai/v1alpha1, kind: ApiKey, metadata: {name: team, namespace: team%[1]s},
spec: {gatewayRef: {name: gate%[1]s, namespace: gate%[1]s}}}`, n))
	}
	for _, n := range []string{"1", "2", "3"} {
		s.k(t, "wait", "--for=condition=Ready", "--timeout=3m", "-n", "team"+n, "apikey/team")
	}
	s.k(t, "delete", "namespace", "gate1", "--timeout=6m")
	s.k(t, "delete", "namespace", "team1", "--timeout=6m")
	s.k(t, "delete", "namespace", "team2", "--timeout=6m")
	s.k(t, "delete", "namespace", "gate2", "--timeout=6m")
	s.k(t, "delete", "namespace", "team3", "gate3", "--timeout=6m")
	for _, n := range []string{"1", "2", "3"} {
		eventually(t, patience, "the bindings of gate"+n+" go", func() error {
			if got := s.bindingsOf(t, "gate"+n); got > 0 {
				return fmt.Errorf("%d left: %w", got, errNotYet)
			}
			return nil
		})
	}
	operator := &corev1.PodList{}
	if err := s.objects.List(t.Context(), operator, client.InNamespace(system), client.MatchingLabels{"app.kubernetes.io/component": "operator"}); err != nil {
		t.Fatal(err)
	}
	for i := range operator.Items {
		if n := operator.Items[i].Status.ContainerStatuses[0].RestartCount; n > 0 {
			t.Errorf("the operator restarted %d times", n)
		}
	}
}
