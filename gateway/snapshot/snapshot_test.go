package snapshot

import (
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/balance"
	"vipcloud.ai/vipcloud/gateway/metrics"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/gateway/upstream"
)

// world is what tables are bound with.
type world struct {
	t    *testing.T
	deps Deps
	in   table.Input
}

// newWorld has the adapter of one provider, OpenAI; the table knows another one, DeepSeek, as well.
func newWorld(t *testing.T) *world {
	t.Helper()
	info := provider.Info{
		Name: "OpenAI", Entries: [][]string{{"api-key"}}, Modalities: []provider.Modality{provider.ModalityChat},
		Regions: []provider.Region{{Name: "x", Endpoint: "https://api.example.com"}},
	}
	other := info
	other.Name = "DeepSeek"
	w := &world{t: t, deps: Deps{
		Adapters: map[string]provider.Adapter{"OpenAI": {Info: info}}, Pool: &upstream.Pool{}, Metrics: metrics.New(prometheus.NewRegistry()),
		Balance: balance.NewRegistry(balance.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)}),
	}}
	w.in = table.Input{
		Instance:         &v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "default"}},
		CredentialStates: map[types.NamespacedName]table.CredentialState{},
		Providers:        table.Providers{"OpenAI": info, "DeepSeek": other},
	}
	return w
}

// credential declares a credential with a key.
func (w *world) credential(name string, p v1alpha1.Provider, key string) *v1alpha1.ProviderCredential {
	c := &v1alpha1.ProviderCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
	c.Spec = v1alpha1.ProviderCredentialSpec{Provider: p, SecretRef: v1alpha1.LocalObjectReference{Name: "s"}}
	w.in.Credentials = append(w.in.Credentials, c)
	w.in.CredentialStates[types.NamespacedName{Namespace: "ns", Name: name}] = table.CredentialState{
		Entries: map[string]table.Secret{"api-key": table.NewSecret(key)},
	}
	return c
}

// route declares route m, with a tier for each target.
func (w *world) route(credentials ...string) {
	r := &v1alpha1.ModelRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "m"}}
	for i, c := range credentials {
		priority := int32(i)
		r.Spec.Targets = append(r.Spec.Targets, v1alpha1.Target{
			Name: "t" + strconv.Itoa(i), Credential: v1alpha1.ObjectReference{Name: v1alpha1.ObjectName(c)}, Priority: &priority,
		})
	}
	w.in.Routes = []*v1alpha1.ModelRoute{r}
}

// bind binds what was declared.
func (w *world) bind() (*Snapshot, []error) {
	w.t.Helper()
	built, findings := table.Build(w.in)
	for _, f := range findings {
		if !f.Status && f.Severity != table.Info {
			w.t.Fatalf("%s: %s", f.Reason, f.Message)
		}
	}
	return Bind(built, w.deps)
}

// reach returns the names of the targets that a call gets, one after the other.
func reach(r *Route) []string {
	var names []string
	var c balance.Choice
	for {
		var l balance.Lease
		i := r.Balance.Pick(&c, &l)
		if i < 0 {
			return names
		}
		names = append(names, r.Targets[i].Name)
		l.Release()
	}
}

func TestBind_placesOfTargetsAreThoseOfBalance(t *testing.T) {
	w := newWorld(t)
	w.credential("a", "OpenAI", "one")
	w.credential("b", "DeepSeek", "two")
	w.route("a", "b", "a")
	s, errs := w.bind()
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), `ns/m/t1: there is no adapter for provider "DeepSeek"`) {
		t.Errorf("errors %v", errs)
	}
	r := s.Resolve("m")
	if len(r.Targets) != 3 || r.Targets[1] != nil {
		t.Errorf("targets %v", r.Targets)
	}
	if got := reach(r); !slices.Equal(got, []string{"t0", "t2"}) {
		t.Errorf("calls get %v", got)
	}
	if a := s.Account("ns/a"); a == nil || r.Targets[0].Account != a || r.Targets[2].Account != a {
		t.Error("targets of one credential do not share its account")
	}
}

func TestBind_moreTargetsThanAreUsedAreReported(t *testing.T) {
	w := newWorld(t)
	w.credential("a", "OpenAI", "one")
	w.route(slices.Repeat([]string{"a"}, balance.MaxTargets+1)...)
	s, errs := w.bind()
	r := s.Resolve("m")
	if len(errs) != 1 || len(r.Targets) != balance.MaxTargets+1 || r.Targets[balance.MaxTargets] != nil {
		t.Errorf("%d targets, errors %v", len(r.Targets), errs)
	}
}

func TestBind_whatRequestsShowedSurvivesATableButNotAnotherSecret(t *testing.T) {
	w := newWorld(t)
	w.credential("a", "OpenAI", "old")
	w.route("a")
	s, _ := w.bind()
	r := s.Resolve("m")
	for range 3 {
		var c balance.Choice
		var l balance.Lease
		r.Balance.Pick(&c, &l)
		l.Failed(&provider.Error{Class: provider.ClassUnauthorized})
	}
	s, _ = w.bind()
	if got := reach(s.Resolve("m")); got != nil {
		t.Errorf("calls get %v with a key that was refused", got)
	}
	w.in.CredentialStates[types.NamespacedName{Namespace: "ns", Name: "a"}] = table.CredentialState{
		Entries: map[string]table.Secret{"api-key": table.NewSecret("new")},
	}
	s, _ = w.bind()
	if got := reach(s.Resolve("m")); !slices.Equal(got, []string{"t0"}) {
		t.Errorf("calls get %v with another key", got)
	}
}

func TestBind_limitsOfACredentialReachItsTargets(t *testing.T) {
	w := newWorld(t)
	one := int64(1)
	w.credential("a", "OpenAI", "k").Spec.Limits = &v1alpha1.CredentialLimits{ConcurrentRequests: &one}
	w.route("a")
	s, _ := w.bind()
	r := s.Resolve("m")
	var c balance.Choice
	var l balance.Lease
	if r.Balance.Pick(&c, &l) != 0 || reach(r) != nil {
		t.Error("the limit does not hold")
	}
	l.Release()
	if got := reach(r); !slices.Equal(got, []string{"t0"}) {
		t.Errorf("calls get %v", got)
	}
}

func TestHolder_theZeroOneResolvesNothing(t *testing.T) {
	var h Holder
	if s := h.Load(); s.Resolve("m") != nil || s.Account("ns/a") != nil {
		t.Error("something is resolved")
	}
	w := newWorld(t)
	w.credential("a", "OpenAI", "k")
	w.route("a")
	s, _ := w.bind()
	h.Swap(s)
	if r := h.Load().Resolve("m"); r == nil || r.Targets[0].Upstream.Endpoint != "https://api.example.com" {
		t.Errorf("got %+v", r)
	}
}
