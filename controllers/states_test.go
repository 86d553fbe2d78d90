package controllers

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// recordStates writes a file for each kind of state that has none yet, for the health checks of Argo CD and their tests.
var recordStates = flag.Bool("record", false, "write states that are new into config/argocd")

// statesDir holds what is recorded, one folder for each kind.
var statesDir = filepath.Join("..", "config", "argocd", "resource_customizations", "vipcloud.ai")

// states watches every object of the package's API server while the tests run, and asks of each state that an object passes
// through whether Flux's status library reads it as it is meant. Tests need not know of it.
type states struct {
	mu       sync.Mutex
	seen     map[string]*unstructured.Unstructured // by kind and stateName
	problems map[string]string                     // by kind and stateName
	stop     context.CancelFunc
	done     sync.WaitGroup
}

// watchStates begins to watch.
func watchStates(cfg *rest.Config, scheme *runtime.Scheme) (*states, error) {
	c, err := client.NewWithWatch(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("making a client that watches: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &states{seen: map[string]*unstructured.Unstructured{}, problems: map[string]string{}, stop: cancel}
	for _, kind := range []string{v1alpha1.KindModelRoute, v1alpha1.KindApiKey, v1alpha1.KindProviderCredential, v1alpha1.KindGatewayInstance} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind + "List"))
		w, err := c.Watch(ctx, list)
		if err != nil {
			cancel()
			return nil, fmt.Errorf("watching %s: %w", kind, err)
		}
		s.done.Go(func() {
			for event := range w.ResultChan() {
				if obj, ok := event.Object.(*unstructured.Unstructured); ok && event.Type != watch.Deleted {
					s.look(obj)
				}
			}
		})
	}
	return s, nil
}

// look judges one state.
func (s *states) look(obj *unstructured.Unstructured) {
	name, want := stateOf(obj)
	got, err := kstatus.Compute(obj.DeepCopy())
	s.mu.Lock()
	defer s.mu.Unlock()
	key := filepath.Join(obj.GetKind(), name)
	if s.seen[key] == nil {
		s.seen[key] = obj
	}
	switch {
	case err != nil:
		s.problems[key] = err.Error()
	case got.Status != want:
		s.problems[key] = fmt.Sprintf("is %s (%s), want %s", got.Status, got.Message, want)
	}
}

// end stops watching and returns what was wrong, and that nothing was seen if that is so.
func (s *states) end(everything bool) error {
	s.stop()
	s.done.Wait()
	var problems []string
	for key, problem := range s.problems {
		problems = append(problems, key+": Flux's status library says it "+problem)
	}
	if everything && len(s.seen) < 20 {
		problems = append(problems, fmt.Sprintf("only %d kinds of states were seen, so the watch has failed", len(s.seen)))
	}
	if *recordStates {
		if err := s.record(); err != nil {
			problems = append(problems, err.Error())
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("states of objects:\n%s", strings.Join(problems, "\n"))
	}
	return nil
}

// record writes the states that have no file yet.
func (s *states) record() error {
	for key, obj := range s.seen {
		kind, name := filepath.Split(key)
		path := filepath.Join(statesDir, kind, "testdata", name+".yaml")
		if _, err := os.Stat(path); err == nil {
			continue
		}
		text, err := yaml.Marshal(anonymous(obj))
		if err != nil {
			return fmt.Errorf("writing a state: %w", err)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("writing a state: %w", err)
		}
		// The namespaces of tests have numbers, which differ from run to run.
		if err := os.WriteFile(path, testNamespace.ReplaceAll(text, []byte("shop")), 0o644); err != nil {
			return fmt.Errorf("writing a state: %w", err)
		}
	}
	return nil
}

var testNamespace = regexp.MustCompile(`\bt[0-9]+\b`)

// anonymous is an object without what differs from run to run and concerns no tool.
func anonymous(obj *unstructured.Unstructured) map[string]any {
	metadata := map[string]any{"name": obj.GetName(), "namespace": obj.GetNamespace(), "generation": obj.GetGeneration()}
	return map[string]any{"apiVersion": obj.GetAPIVersion(), "kind": obj.GetKind(), "metadata": metadata,
		"spec": obj.Object["spec"], "status": obj.Object["status"]}
}

// stateOf names the state that an object is in, and says what tools should make of it: what nobody has looked at since it
// changed is in progress, whatever its conditions say of what was before; what waits or serves in part is in progress too; what
// a human must change has failed.
func stateOf(obj *unstructured.Unstructured) (string, kstatus.Status) {
	var status struct {
		ObservedGeneration int64              `json:"observedGeneration"`
		Conditions         []metav1.Condition `json:"conditions"`
	}
	if member, ok := obj.Object["status"].(map[string]any); ok {
		_ = runtime.DefaultUnstructuredConverter.FromUnstructured(member, &status)
	}
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return "new", kstatus.InProgressStatus
	case status.ObservedGeneration != obj.GetGeneration():
		return "changed", kstatus.InProgressStatus
	case ready.Status == metav1.ConditionTrue:
		return "ready", kstatus.CurrentStatus
	case meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionStalled):
		return "stalled_" + ready.Reason, kstatus.FailedStatus
	case meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReconciling):
		return "waiting_" + ready.Reason, kstatus.InProgressStatus
	default:
		return "partial_" + ready.Reason, kstatus.InProgressStatus
	}
}
