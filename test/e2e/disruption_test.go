package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// replicas asks the quickstart's gateway for so many replicas and waits for them.
func (s *suite) replicas(t *testing.T, n int) {
	t.Helper()
	s.k(t, "patch", "gatewayinstance", "-n", system, "default", "--type=merge", "-p", fmt.Sprintf(`{"spec":{"replicas":%d}}`, n))
	s.settled(t, system, "default", n, s.imageNow(t))
}

// imageNow is the image that the operator gives to gateways.
func (s *suite) imageNow(t *testing.T) string {
	t.Helper()
	return s.k(t, "get", "deployment", "-n", system, "vipcloud-operator", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
}

// scale takes replicas away and adds some while a hundred streams run.
func scale(t *testing.T, s *suite) {
	s.replicas(t, 1)
	l := s.loader(t, "scale")
	l.run(t, 100, 40, false)
	for _, n := range []int{3, 1} {
		s.replicas(t, n)
	}
	s.noneLeaving(t)
	l.unharmed(t, l.end(t), 150)
	s.replicas(t, 2)
}

// noneLeaving waits until no gateway pod is on its way out.
func (s *suite) noneLeaving(t *testing.T) {
	t.Helper()
	eventually(t, patience, "replicas that were told to end have ended", func() error {
		list := &corev1.PodList{}
		if err := s.objects.List(t.Context(), list, client.InNamespace(system), client.HasLabels{v1alpha1.LabelInstance}); err != nil {
			return err
		}
		for i := range list.Items {
			if list.Items[i].DeletionTimestamp != nil {
				return fmt.Errorf("%s: %w", list.Items[i].Name, errNotYet)
			}
		}
		return nil
	})
}

// rollout brings another image, first to the operator and by it to the gateways, while a hundred streams run.
func rollout(t *testing.T, s *suite) {
	l := s.loader(t, "rollout")
	l.run(t, 100, 40, false)
	s.chart(t, "upgrade", append([]string{path("charts", "vipcloud"), "--reset-then-reuse-values"}, imageValues(s.next)...)...)
	s.operatorReady(t)
	s.settled(t, system, "default", 2, s.next)
	s.noneLeaving(t)
	l.unharmed(t, l.end(t), 150)
}

// inFlight is how many streams a replica carries, by its own metrics.
func (s *suite) inFlight(t *testing.T, pod string) int {
	t.Helper()
	body, err := s.ask(t, "GET", system, pod, "metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(bytes.NewReader(body))
	for scanner.Scan() {
		if value, ok := strings.CutPrefix(scanner.Text(), "vipcloud_streams_in_flight "); ok {
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("%s has no vipcloud_streams_in_flight", pod)
	return 0
}

// atNode runs the script that reaches into the node.
func (s *suite) atNode(t *testing.T, args ...string) {
	t.Helper()
	if s.node == "" {
		skip(t, "needs a node that can be reached into, such as the one of make e2e without KUBECONFIG")
	}
	s.do(t, "", s.node, args...)
}

// kill ends a replica with SIGKILL. Its streams break and look broken; nobody else notices; and what had been settled a few seconds
// before is counted exactly: what cannot be known is the use of the streams that broke.
func kill(t *testing.T, s *suite) {
	if s.node == "" {
		skip(t, "needs a node that can be reached into, such as the one of make e2e without KUBECONFIG")
	}
	l := s.loader(t, "kill")
	const before, during = 20, 60
	l.run(t, before, 5, true)
	first := l.idle(t)
	l.unharmed(t, first, before)
	l.counted(t, usage{Requests: before, Completion: first.Completion})

	billed := s.totals(t)
	l.run(t, during, 150, true)
	victims := s.pods(t, system, "default")
	victim, carried := victims[0], s.inFlight(t, victims[0].Name)
	if carried == 0 || carried == during {
		t.Fatalf("of %d streams the victim carries %d: the Service spreads nothing", during, carried)
	}
	id := victim.Status.ContainerStatuses[0].ContainerID
	s.atNode(t, "kill", id[strings.LastIndexByte(id, '/')+1:])
	second := l.idle(t)
	t.Logf("%d streams, of which the victim carried %d: %d whole, %d broken", during, carried, second.Whole, second.Broken)
	if second.Broken != carried || second.Whole != during-carried || second.Refused+second.Cut > 0 {
		t.Errorf("want exactly the victim's %d streams broken, got %+v", carried, second)
	}
	l.counted(t, usage{Requests: before + int64(second.Whole), Completion: first.Completion + second.Completion})
	after := s.totals(t)
	if got := after.Requests - billed.Requests; got != during {
		t.Errorf("the vendor saw %d requests for %d streams: something was sent twice", got, during)
	}
	if after.Leaks > 0 || after.Violations > 0 {
		t.Errorf("the vendor saw what it never should: %+v", after)
	}
	eventually(t, patience, "the victim starts again", func() error {
		pod := &corev1.Pod{}
		if err := s.objects.Get(t.Context(), client.ObjectKeyFromObject(&victim), pod); err != nil {
			return err
		}
		if !isReady(pod) || pod.Status.ContainerStatuses[0].RestartCount != victim.Status.ContainerStatuses[0].RestartCount+1 {
			return errNotYet
		}
		return nil
	})
}

// evict asks for a replica's eviction.
func (s *suite) evict(t *testing.T, pod *corev1.Pod) error {
	t.Helper()
	return s.cluster.PolicyV1().Evictions(pod.Namespace).Evict(t.Context(), &policyv1.Eviction{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name},
	})
}

// evict drains a node that carries one replica, and then the one that carries the other: the first replica's streams end as they
// should, and the second one must stay until there is a successor.
func evict(t *testing.T, s *suite) {
	l := s.loader(t, "evict")
	const streams = 40
	l.run(t, streams, 100, true)
	replicas := s.pods(t, system, "default")
	carried := s.inFlight(t, replicas[0].Name)
	if carried == 0 || carried == streams {
		t.Fatalf("of %d streams the first replica carries %d: the Service spreads nothing", streams, carried)
	}
	budgets := &policyv1.PodDisruptionBudgetList{}
	if err := s.objects.List(t.Context(), budgets, client.InNamespace(system), client.MatchingLabels{v1alpha1.LabelInstance: "default"}); err != nil {
		t.Fatal(err)
	}
	if err := s.evict(t, &replicas[0]); err != nil {
		t.Errorf("evicting the first replica: %v", err)
	}
	if len(budgets.Items) > 0 {
		if err := s.evict(t, &replicas[1]); !apierrors.IsTooManyRequests(err) {
			t.Errorf("evicting the second replica: %v, want it refused by the disruption budget", err)
		}
	}
	l.unharmed(t, l.idle(t), streams)
	s.settled(t, system, "default", 2, s.imageNow(t))
	if len(budgets.Items) == 0 {
		skip(t, "refusal of the second eviction: the instance has no PodDisruptionBudget")
	}
}

// rotate gives the vendor's account another key while streams run.
func rotate(t *testing.T, s *suite) {
	l := s.loader(t, "rotate")
	l.run(t, 20, 20, false)
	old := s.ledger(t)
	s.k(t, "patch", "secret", "-n", system, "deepseek", "-p", fmt.Sprintf(`{"stringData":{"api-key":%q}}`, secondAccount))
	changed := time.Now()
	from := old[len(old)-1].Header.Get("Authorization")
	// What begins a while after the change uses the new key alone: ten requests in a row, at both replicas.
	eventually(t, patience, "the new key is used", func() error {
		recent := s.ledger(t)
		recent = recent[max(0, len(recent)-10):]
		for i := range recent {
			if recent[i].Header.Get("Authorization") == from {
				return errNotYet
			}
		}
		return nil
	})
	t.Logf("ten requests in a row had the new key %s after the change, streams of 4 s included", time.Since(changed).Round(100*time.Millisecond))
	l.unharmed(t, l.end(t), 40)
}
