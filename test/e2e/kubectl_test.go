package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// Waits. They are generous: a machine may be busy with other things.
const (
	patience = 3 * time.Minute
	poll     = 250 * time.Millisecond
)

// command makes a command that works with the cluster.
func (s *suite) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	home := filepath.Join(os.TempDir(), "vipcloud-e2e-no-helm-home")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig, "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	return cmd
}

// do runs a command that must succeed and returns what it prints.
func (s *suite) do(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	cmd := s.command(t.Context(), name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(name), strings.Join(args, " "), err, out.String(), errOut.String())
	}
	return out.String()
}

// k runs kubectl.
func (s *suite) k(t *testing.T, args ...string) string {
	t.Helper()
	return s.do(t, "", s.kubectl, args...)
}

// apply applies manifests.
func (s *suite) apply(t *testing.T, manifests string, args ...string) {
	t.Helper()
	s.do(t, manifests, s.kubectl, append([]string{"apply", "-f", "-"}, args...)...)
}

// chart runs helm on the release.
func (s *suite) chart(t *testing.T, verb string, args ...string) {
	t.Helper()
	s.do(t, "", s.helm, append([]string{verb, "vipcloud", "--namespace", system}, args...)...)
}

// imageValues name an image to the chart.
func imageValues(image string) []string {
	repository, tag := image[:strings.LastIndexByte(image, ':')], image[strings.LastIndexByte(image, ':')+1:]
	return []string{"--set", "image.repository=" + repository, "--set", "image.tag=" + tag}
}

// eventually waits until a condition holds; what it returns says what is missing.
func eventually(t *testing.T, limit time.Duration, what string, holds func() error) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("%s: not within %s: %v", what, limit, err)
		case <-t.Context().Done():
			t.Fatalf("%s: %v", what, err)
		case <-ticker.C:
		}
	}
}

// during lets time pass.
func during(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

// namespace makes a namespace that enforces the restricted standard.
func (s *suite) namespace(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			"pod-security.kubernetes.io/enforce": "restricted",
		}}}
		if err := s.objects.Create(t.Context(), ns); err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
		eventually(t, patience, "the account of pods in "+name, func() error {
			return s.objects.Get(t.Context(), client.ObjectKey{Namespace: name, Name: "default"}, &corev1.ServiceAccount{})
		})
	}
}

// pods lists the pods of a gateway, without those that are on their way out.
func (s *suite) pods(t *testing.T, namespace, instance string) []corev1.Pod {
	t.Helper()
	list := &corev1.PodList{}
	if err := s.objects.List(t.Context(), list, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelInstance: instance}); err != nil {
		t.Fatal(err)
	}
	var here []corev1.Pod
	for i := range list.Items {
		if list.Items[i].DeletionTimestamp == nil {
			here = append(here, list.Items[i])
		}
	}
	return here
}

// isReady says whether a pod is.
func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// errNotYet is what eventually is told while it has to wait.
var errNotYet = errors.New("not yet")

// settled waits until exactly so many gateway pods are there, all ready, of one image, and the instance says so.
func (s *suite) settled(t *testing.T, namespace, instance string, replicas int, image string) {
	t.Helper()
	eventually(t, patience, fmt.Sprintf("%d replicas of %s/%s", replicas, namespace, instance), func() error {
		here := s.pods(t, namespace, instance)
		if len(here) != replicas {
			return fmt.Errorf("%d pods: %w", len(here), errNotYet)
		}
		for i := range here {
			if !isReady(&here[i]) || here[i].Spec.Containers[0].Image != image {
				return fmt.Errorf("pod %s, image %s: %w", here[i].Name, here[i].Spec.Containers[0].Image, errNotYet)
			}
		}
		return nil
	})
	s.k(t, "wait", "--for=condition=Ready", "--timeout=2m", "-n", namespace, "gatewayinstance/"+instance)
}

// operatorGone waits until no pod of the operator is left.
func (s *suite) operatorGone(t *testing.T) {
	t.Helper()
	s.k(t, "wait", "--for=delete", "--timeout=2m", "-n", system, "pod", "-l", "app.kubernetes.io/component=operator")
}

// operatorReady waits for the operator.
func (s *suite) operatorReady(t *testing.T) {
	t.Helper()
	s.k(t, "rollout", "status", "-n", system, "deployment/vipcloud-operator", "--timeout=3m")
}

// forwarded finds the local port in what kubectl port-forward says.
var forwarded = regexp.MustCompile(`^Forwarding from 127\.0\.0\.1:(\d+)`)

// forward leads a local port to a Service, as the README does, and returns the base URL of the API.
func (s *suite) forward(t *testing.T, namespace, service string) string {
	t.Helper()
	cmd := s.command(t.Context(), s.kubectl, "port-forward", "-n", namespace, "service/"+service, ":80")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		if m := forwarded.FindStringSubmatch(scanner.Text()); m != nil {
			return "http://127.0.0.1:" + m[1] + "/v1"
		}
	}
	t.Fatalf("kubectl port-forward ended: %s", errOut.String())
	return ""
}
