package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// root is the checkout.
const root = "../.."

// system is where the operator and the quickstart's gateway are.
const system = "vipcloud-system"

// suite is a cluster and what is needed to work with it.
type suite struct {
	config  *rest.Config
	objects client.Client
	cluster kubernetes.Interface

	kubeconfig, kubectl, helm string
	// image and next are two builds of the product with different tags, tools the programs of ./tools.
	image, next, tools string
	// previous is the product as it was before; empty: not there.
	previous string
	// node is the script that reaches into the node; empty: there is none.
	node string
}

// TestMain says so if there is no cluster.
func TestMain(m *testing.M) {
	if os.Getenv("E2E_KUBECONFIG") == "" {
		fmt.Println("SKIPPED e2e: no cluster; use make e2e")
		return
	}
	ctrllog.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// newSuite reads the settings, which make e2e makes.
func newSuite(t *testing.T) *suite {
	t.Helper()
	s := &suite{
		kubeconfig: os.Getenv("E2E_KUBECONFIG"), kubectl: os.Getenv("E2E_KUBECTL"), helm: os.Getenv("E2E_HELM"),
		image: os.Getenv("E2E_IMAGE"), next: os.Getenv("E2E_NEXT_IMAGE"), tools: os.Getenv("E2E_TOOLS_IMAGE"),
		previous: os.Getenv("E2E_PREVIOUS_IMAGE"), node: os.Getenv("E2E_NODE"),
	}
	for name, value := range map[string]string{
		"E2E_KUBECTL": s.kubectl, "E2E_HELM": s.helm, "E2E_IMAGE": s.image, "E2E_NEXT_IMAGE": s.next, "E2E_TOOLS_IMAGE": s.tools,
	} {
		if value == "" {
			t.Fatalf("%s is not set; use make e2e", name)
		}
	}
	var err error
	if s.config, err = clientcmd.BuildConfigFromFlags("", s.kubeconfig); err != nil {
		t.Fatal(err)
	}
	s.config.QPS, s.config.Burst = 50, 100
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	if s.objects, err = client.New(s.config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	if s.cluster, err = kubernetes.NewForConfig(s.config); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCluster is the life of an installation. Each step finds what the steps before left and leaves a cluster that serves; on one
// that runs already, steps can be repeated with -run 'TestCluster/^(kill|evict)$'.
func TestCluster(t *testing.T) {
	s := newSuite(t)
	for _, step := range []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"install", install},
		{"quickstart", quickstart},
		{"application", application},
		{"scale", scale},
		{"rollout", rollout},
		{"kill", kill},
		{"evict", evict},
		{"rotate", rotate},
		{"operator_deleted", operatorDeleted},
		{"API_server_away", apiServerAway},
		{"instance_deleted_unseen", instanceDeletedUnseen},
		{"restore", restore},
		{"namespaces_deleted", namespacesDeleted},
		{"uninstall", uninstall},
		{"upgrade", upgrade},
	} {
		start := time.Now()
		ok := t.Run(step.name, func(t *testing.T) { step.run(t, s) })
		if took := time.Since(start); took > time.Millisecond {
			t.Logf("%s: %s", step.name, took.Round(time.Second))
		}
		if !ok {
			s.show(t)
			if step.name == "install" || step.name == "quickstart" {
				t.FailNow()
			}
		}
	}
	for _, reason := range skips.all() {
		fmt.Println("SKIPPED e2e " + reason)
	}
}

// skips gathers what could not be proven here, for the summary.
var skips skipped

type skipped struct {
	mu      sync.Mutex
	reasons []string
}

func (s *skipped) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reasons
}

// skip ends a step that cannot run here.
func skip(t *testing.T, reason string) {
	t.Helper()
	name := t.Name()[strings.LastIndexByte(t.Name(), '/')+1:]
	skips.mu.Lock()
	skips.reasons = append(skips.reasons, name+": "+reason)
	skips.mu.Unlock()
	t.Skip(reason)
}

// show prints what an admin would look at first.
func (s *suite) show(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	for _, args := range [][]string{
		{"get", "pods", "-A", "-o", "wide"}, {"get", "vipcloud", "-A"},
		{"get", "events", "-A", "--sort-by=.lastTimestamp", "--field-selector=type=Warning"},
		{"logs", "-n", system, "-l", "app.kubernetes.io/component=operator", "--tail=20"},
		{"logs", "-n", system, "-l", v1alpha1.LabelInstance, "--tail=5", "--prefix"},
	} {
		out, err := s.command(ctx, s.kubectl, args...).CombinedOutput()
		t.Logf("kubectl %s (%v)\n…%s", strings.Join(args, " "), err, out[max(0, len(out)-shown):])
	}
}

// shown is how much of each answer is shown at most.
const shown = 5000

// path is a path of the checkout.
func path(elements ...string) string { return filepath.Join(append([]string{root}, elements...)...) }
