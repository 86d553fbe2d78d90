package controllers

import (
	"context"
	"math/big"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/table"
)

// operatorMetrics are the operator's own, beside those of controller-runtime. Labels are kinds, reasons of ours and names of instances.
type operatorMetrics struct {
	// compile is the time of a compilation, compileErrors counts incomplete ones.
	compile       prometheus.Histogram
	compileErrors prometheus.Counter
	// propagation is the time from a change to Ready, by kind.
	propagation *prometheus.HistogramVec
}

// newOperatorMetrics registers the metrics. It panics if one of them is registered already, which is a programmer's error.
func newOperatorMetrics(reg prometheus.Registerer) *operatorMetrics {
	m := &operatorMetrics{
		compile: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "vipcloud_operator_compile_seconds", Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
			Help: "Time to compile all objects.",
		}),
		compileErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vipcloud_operator_compile_errors_total", Help: "Compilations that could not read something and are tried again.",
		}),
		propagation: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "vipcloud_operator_propagation_seconds", Buckets: prometheus.ExponentialBuckets(0.05, 2, 13),
			Help: "Time from the operator's first sight of a generation to its being served by every ready replica, by kind (ModelRoute, ApiKey).",
		}, []string{"kind"}),
	}
	reg.MustRegister(m.compile, m.compileErrors, m.propagation)
	return m
}

// registerMetrics registers all metrics of the operator's own.
func (op *operator) registerMetrics(reg prometheus.Registerer) {
	op.metrics = newOperatorMetrics(reg)
	reg.MustRegister(newStateCollector(op))
}

// DescribeMetrics registers the operator's own metrics without an operator, for their reference page.
func DescribeMetrics(reg prometheus.Registerer) { (&operator{}).registerMetrics(reg) }

// served observes that a generation that was not served is served now.
func (op *operator) served(obj client.Object) {
	var kind string
	switch obj.(type) {
	case *v1alpha1.ModelRoute:
		kind = v1alpha1.KindModelRoute
	case *v1alpha1.ApiKey:
		kind = v1alpha1.KindApiKey
	default:
		return
	}
	ref := table.ObjectRef{Kind: kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}
	if since := op.sightings.since(ref); !since.IsZero() {
		op.metrics.propagation.WithLabelValues(kind).Observe(op.clock.Since(since).Seconds())
	}
}

// collectTimeout bounds how long a scrape may look at the cache.
const collectTimeout = 5 * time.Second

// stateCollector shows objects as they are when metrics are read, from the cache. It works in every process of the operator; what
// only the leader knows is shown by it alone.
type stateCollector struct {
	op                                         *operator
	objects, budgets, replicas, secrets, limit *prometheus.Desc
}

// newStateCollector makes one.
func newStateCollector(op *operator) *stateCollector {
	instance := []string{"gatewayinstance"}
	return &stateCollector{
		op: op,
		objects: prometheus.NewDesc("vipcloud_operator_objects",
			"Objects by kind, status of Ready (True, False, Unknown) and its reason.", []string{"kind", "ready", "reason"}, nil),
		budgets: prometheus.NewDesc("vipcloud_operator_key_budgets",
			"API keys with a budget, by how much of it is spent: below_80, from_80 (percent), exhausted.", []string{"spent"}, nil),
		replicas: prometheus.NewDesc("vipcloud_operator_instance_replicas",
			"Replicas of a GatewayInstance (namespace/name), by state: wanted, ready.", append(instance, "state"), nil),
		secrets: prometheus.NewDesc("vipcloud_operator_compiled_secret_bytes",
			"Size of the compiled Secret of a GatewayInstance (namespace/name).", instance, nil),
		limit: prometheus.NewDesc("vipcloud_operator_compiled_secret_limit_bytes",
			"Size beyond which a compiled Secret is not written.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.objects, c.budgets, c.replicas, c.secrets, c.limit} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. Kinds that cannot be listed, such as before the cache has started, are left out.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout) //nolint:forbidigo // a scrape has no context of ours
	defer cancel()
	states := objectStates{}
	var instances v1alpha1.GatewayInstanceList
	if c.list(ctx, &instances) {
		for i := range instances.Items {
			states.add(v1alpha1.KindGatewayInstance, instances.Items[i].Status.Conditions)
			c.instance(ch, &instances.Items[i])
		}
	}
	var routes v1alpha1.ModelRouteList
	if c.list(ctx, &routes) {
		for i := range routes.Items {
			states.add(v1alpha1.KindModelRoute, routes.Items[i].Status.Conditions)
		}
	}
	var credentials v1alpha1.ProviderCredentialList
	if c.list(ctx, &credentials) {
		for i := range credentials.Items {
			states.add(v1alpha1.KindProviderCredential, credentials.Items[i].Status.Conditions)
		}
	}
	var keys v1alpha1.ApiKeyList
	if c.list(ctx, &keys) {
		levels := map[string]int{budgetBelow: 0, budgetNear: 0, budgetExhausted: 0}
		for i := range keys.Items {
			states.add(v1alpha1.KindApiKey, keys.Items[i].Status.Conditions)
			if level := budgetLevel(keys.Items[i].Status.Usage); level != "" {
				levels[level]++
			}
		}
		for level, n := range levels {
			ch <- prometheus.MustNewConstMetric(c.budgets, prometheus.GaugeValue, float64(n), level)
		}
	}
	for s, n := range states {
		ch <- prometheus.MustNewConstMetric(c.objects, prometheus.GaugeValue, float64(n), s.kind, s.ready, s.reason)
	}
	ch <- prometheus.MustNewConstMetric(c.limit, prometheus.GaugeValue, maxCompiledBytes)
}

// list reads from the cache and shares its objects: read only.
func (c *stateCollector) list(ctx context.Context, list client.ObjectList) bool {
	return c.op.List(ctx, list, client.UnsafeDisableDeepCopy) == nil
}

// instance shows replicas and the compiled Secret of an instance.
func (c *stateCollector) instance(ch chan<- prometheus.Metric, instance *v1alpha1.GatewayInstance) {
	name := client.ObjectKeyFromObject(instance)
	if ready, counted := c.op.fleets.ready(name); counted {
		ch <- prometheus.MustNewConstMetric(c.replicas, prometheus.GaugeValue, float64(render.Replicas(instance)), name.String(), "wanted")
		ch <- prometheus.MustNewConstMetric(c.replicas, prometheus.GaugeValue, float64(len(ready)), name.String(), "ready")
	}
	if v, known := c.op.compiled.instance(name); known && v.entries != nil {
		size := 0
		for _, entry := range v.entries {
			size += len(entry)
		}
		ch <- prometheus.MustNewConstMetric(c.secrets, prometheus.GaugeValue, float64(size), name.String())
	}
}

// objectState is what objects are counted by.
type objectState struct{ kind, ready, reason string }

// objectStates counts objects.
type objectStates map[objectState]int

// add counts an object. One that was not looked at yet has no reason.
func (s objectStates) add(kind string, conditions []metav1.Condition) {
	state := objectState{kind: kind, ready: string(metav1.ConditionUnknown)}
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c != nil {
		state.ready, state.reason = string(c.Status), c.Reason
	}
	s[state]++
}

// Levels of budgets.
const (
	budgetBelow     = "below_80"
	budgetNear      = "from_80"
	budgetExhausted = "exhausted"
)

// nearBudget is the part of a budget from which on little of it is left.
var nearBudget = big.NewRat(1, 5)

// budgetLevel says how much of its budget a key has spent, by what its status shows. Empty: it has none, or nobody knows.
func budgetLevel(usage *v1alpha1.KeyUsage) string {
	if usage == nil || usage.Budget == "" {
		return ""
	}
	text, _, _ := strings.Cut(usage.Budget, "/")
	budget, ok1 := new(big.Rat).SetString(text)
	left, ok2 := new(big.Rat).SetString(string(usage.Remaining))
	switch {
	case !ok1 || !ok2:
		return ""
	case left.Sign() <= 0:
		return budgetExhausted
	case left.Cmp(budget.Mul(budget, nearBudget)) <= 0:
		return budgetNear
	}
	return budgetBelow
}
