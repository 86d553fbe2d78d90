package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/test/sim"
)

// shop is where applications run.
const shop = "shop"

// model is the quickstart's.
const model = "deepseek-v4-pro"

// stats are what tools load has seen.
type stats struct {
	Running                     int
	Whole, Refused, Broken, Cut int
	Prompt, Completion          int64
	Errors                      []string
}

// podManifest is what every pod of the tests is, under the restricted standard.
const podManifest = `apiVersion: v1
kind: Pod
metadata: {name: %[1]s, namespace: %[2]s, labels: {app: %[1]s}}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 1
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: main
    image: %[3]s
    args: %[4]s
    %[5]s
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
`

// pod starts a pod of the tools anew; fields are more of its container.
func (s *suite) pod(t *testing.T, namespace, name, fields string, args ...string) {
	t.Helper()
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	s.k(t, "delete", "pod", "-n", namespace, name, "--ignore-not-found", "--wait")
	s.apply(t, fmt.Sprintf(podManifest, name, namespace, s.tools, text, fields))
}

// envFrom is all that an application knows.
func envFrom(secret string) string { return "envFrom: [{secretRef: {name: " + secret + "}}]" }

// key makes an ApiKey and waits until it is served.
func (s *suite) key(t *testing.T, namespace, name string) {
	t.Helper()
	s.apply(t, fmt.Sprintf("{apiVersion: vipcloud.ai/v1alpha1, kind: ApiKey, metadata: {name: %s, namespace: %s}, spec: {}}", name, namespace))
	s.k(t, "wait", "--for=condition=Ready", "--timeout=2m", "-n", namespace, "apikey/"+name)
}

// secret reads an entry of a Secret.
func (s *suite) secret(t *testing.T, namespace, name, entry string) string {
	t.Helper()
	secret := &corev1.Secret{}
	if err := s.objects.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, secret); err != nil {
		t.Fatal(err)
	}
	return string(secret.Data[entry])
}

// loader is a pod of tools load.
type loader struct {
	*suite
	name string
	// retries lets the SDK repeat what it repeats by itself.
	retries bool
}

// loader starts a load with an ApiKey of its own.
func (s *suite) loader(t *testing.T, name string) *loader {
	t.Helper()
	s.key(t, shop, name)
	s.pod(t, shop, name, envFrom(name), "load")
	s.k(t, "wait", "--for=condition=Ready", "--timeout=2m", "-n", shop, "pod/"+name)
	l := &loader{suite: s, name: name}
	eventually(t, patience, "the load listens", func() error {
		_, err := l.try(t, "GET", "stats", nil)
		return err
	})
	t.Cleanup(func() {
		_ = s.command(context.WithoutCancel(t.Context()), s.kubectl, "delete", "pod", "-n", shop, name, "--wait=false").Run()
	})
	return l
}

// ask reaches a pod's control port through the API server.
func (s *suite) ask(t *testing.T, method, namespace, pod, path string, query url.Values) ([]byte, error) {
	t.Helper()
	r := s.cluster.CoreV1().RESTClient().Verb(method).Namespace(namespace).Resource("pods").Name(pod + ":8081").SubResource("proxy").
		Suffix(path).Timeout(10 * time.Second)
	for name, values := range query {
		for _, value := range values {
			r = r.Param(name, value)
		}
	}
	return r.DoRaw(t.Context())
}

// try asks the load.
func (l *loader) try(t *testing.T, method, path string, query url.Values) (stats, error) {
	t.Helper()
	var got stats
	body, err := l.ask(t, method, shop, l.name, path, query)
	if err != nil {
		return got, err
	}
	return got, json.Unmarshal(body, &got)
}

// stats asks for what was seen.
func (l *loader) stats(t *testing.T) stats {
	t.Helper()
	got, err := l.try(t, "GET", "stats", nil)
	if err != nil {
		t.Fatalf("asking the load: %v", err)
	}
	return got
}

// run begins with streams of so many chunks, a chunk each 200 ms, and waits until all run. Once: each of them once.
func (l *loader) run(t *testing.T, streams, chunks int, once bool) {
	t.Helper()
	query := url.Values{"model": {model}, "streams": {strconv.Itoa(streams)}, "chunks": {strconv.Itoa(chunks)}}
	if once {
		query.Set("once", "1")
	}
	if l.retries {
		query.Set("retries", "1")
	}
	if _, err := l.try(t, "POST", "run", query); err != nil {
		t.Fatalf("starting the load: %v", err)
	}
	eventually(t, patience, fmt.Sprintf("%d streams run", streams), func() error {
		if got := l.stats(t); got.Running < streams*9/10 && got.Whole < streams {
			return fmt.Errorf("%+v: %w", got, errNotYet)
		}
		return nil
	})
}

// end lets the streams that run end, and returns what was seen.
func (l *loader) end(t *testing.T) stats {
	t.Helper()
	if _, err := l.try(t, "POST", "stop", nil); err != nil {
		t.Fatalf("stopping the load: %v", err)
	}
	return l.idle(t)
}

// idle waits until no stream runs.
func (l *loader) idle(t *testing.T) stats {
	t.Helper()
	var got stats
	eventually(t, patience, "the streams end", func() error {
		if got = l.stats(t); got.Running > 0 {
			return fmt.Errorf("%+v: %w", got, errNotYet)
		}
		return nil
	})
	return got
}

// unharmed fails if any stream was.
func (l *loader) unharmed(t *testing.T, got stats, least int) {
	t.Helper()
	t.Logf("%s: %d streams whole, %d refused, %d broken, %d cut", l.name, got.Whole, got.Refused, got.Broken, got.Cut)
	if got.Refused+got.Broken+got.Cut > 0 {
		t.Errorf("%s: streams were harmed: %s", l.name, strings.Join(got.Errors, "\n  "))
	}
	if got.Whole < least {
		t.Errorf("%s: %d streams ended, want at least %d for this to prove anything", l.name, got.Whole, least)
	}
}

// usage is what the gateway says that a key has used.
type usage struct {
	Requests   int64 `json:"requests"`
	Completion int64 `json:"completion_tokens"`
}

// usage asks for what the load's key has used, all models and days together.
func (l *loader) usage(t *testing.T) (usage, error) {
	t.Helper()
	var sum usage
	body, err := l.ask(t, "GET", shop, l.name, "usage", nil)
	if err != nil {
		return sum, err
	}
	return sumUsage(body)
}

// sumUsage adds up the answer of GET /v1/key/usage.
func sumUsage(body []byte) (usage, error) {
	var list struct{ Data []usage }
	if err := json.Unmarshal(body, &list); err != nil {
		return usage{}, fmt.Errorf("reading usage: %w", err)
	}
	var sum usage
	for _, row := range list.Data {
		sum.Requests += row.Requests
		sum.Completion += row.Completion
	}
	return sum, nil
}

// errOther is a figure that is not what it should become.
var errOther = errors.New("not what it should be")

// counted waits until the key's usage is exactly this, at whichever replica answers, several times in a row.
func (l *loader) counted(t *testing.T, want usage) {
	t.Helper()
	agreed := 0
	eventually(t, patience, fmt.Sprintf("the usage of %s is %+v", l.name, want), func() error {
		got, err := l.usage(t)
		if err != nil {
			return err
		}
		if got != want {
			agreed = 0
			return fmt.Errorf("%+v: %w", got, errOther)
		}
		if agreed++; agreed < 8 {
			return errNotYet
		}
		return nil
	})
}

// totals are what the vendor has billed.
func (s *suite) totals(t *testing.T) sim.Totals {
	t.Helper()
	var got sim.Totals
	s.askVendors(t, "totals", &got)
	return got
}

// ledger are the vendor's last requests.
func (s *suite) ledger(t *testing.T) []sim.Entry {
	t.Helper()
	var got []sim.Entry
	s.askVendors(t, "ledger", &got)
	return got
}

// askVendors asks the simulated vendors' control port about DeepSeek.
func (s *suite) askVendors(t *testing.T, path string, into any) {
	t.Helper()
	body, err := s.ask(t, "GET", vendorsNamespace, "vendors", path, url.Values{"vendor": {string(sim.DeepSeek)}})
	if err != nil {
		t.Fatalf("asking the vendors: %v", err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatal(err)
	}
}
