package controllers

import (
	"errors"
	"fmt"
	"io"

	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/recorder"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/controllers/render"
	"vipcloud.ai/vipcloud/gateway/table"
)

// operatorName is the field manager of everything the operator applies, and the reporter of its events.
const operatorName = "vipcloud-operator"

// Options of the operator.
type Options struct {
	// Providers are the vendors that the gateway has adapters for. Required.
	Providers table.Providers
	// GatewayImage runs where an instance names no image. Required.
	GatewayImage string
	// WatchNamespaces are the only namespaces that are looked at. Nil: cluster mode.
	WatchNamespaces []string
	// Clock tells the time. Nil: the real one.
	Clock clock.Clock
	// Metrics takes the operator's metrics. Nil: they are kept to itself.
	Metrics prometheus.Registerer
	// Random is where keys come from. Nil: crypto/rand.
	Random io.Reader
}

// validate fills in defaults and returns all problems.
func (o *Options) validate() error {
	var problems []error
	if len(o.Providers) == 0 {
		problems = append(problems, errors.New("providers are missing"))
	}
	if o.GatewayImage == "" {
		problems = append(problems, errors.New("gateway image is missing"))
	}
	if o.WatchNamespaces != nil && len(o.WatchNamespaces) == 0 {
		problems = append(problems, errors.New("watch namespaces are empty; nil means the whole cluster"))
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	return errors.Join(problems...)
}

// NewScheme returns a scheme with every type that the operator uses.
func NewScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering the types of Kubernetes: %w", err)
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering the types of vipcloud.ai: %w", err)
	}
	return scheme, nil
}

// CacheOptions are the manager's cache options that the controllers count on: the watched namespaces (nil: all), and of
// objects that others make as well only those of the operator.
func CacheOptions(watchNamespaces []string) cache.Options {
	ours := labels.SelectorFromSet(labels.Set{render.LabelManagedBy: render.ManagedBy})
	options := cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&appsv1.Deployment{}:     {Label: ours},
			&corev1.Pod{}:            {Label: ours, Transform: slimPod},
			&corev1.Service{}:        {Label: ours},
			&corev1.ServiceAccount{}: {Label: ours},
			&rbacv1.Role{}:           {Label: ours},
			&rbacv1.RoleBinding{}:    {Label: ours},

			&policyv1.PodDisruptionBudget{}:          {Label: ours},
			&autoscalingv2.HorizontalPodAutoscaler{}: {Label: ours},
			&networkingv1.NetworkPolicy{}:            {Label: ours},
			&networkingv1.Ingress{}:                  {Label: ours},
		},
	}
	if watchNamespaces == nil {
		options.ByObject[&rbacv1.ClusterRoleBinding{}] = cache.ByObject{Label: ours}
		return options
	}
	options.DefaultNamespaces = map[string]cache.Config{}
	for _, namespace := range watchNamespaces {
		options.DefaultNamespaces[namespace] = cache.Config{}
	}
	for obj, by := range options.ByObject {
		by.Namespaces = options.DefaultNamespaces
		options.ByObject[obj] = by
	}
	return options
}

// slimPod keeps of a pod what readiness is decided by, and what tells why there is none.
func slimPod(in any) (any, error) {
	pod, ok := in.(*corev1.Pod)
	if !ok {
		return in, nil
	}
	slim := &corev1.Pod{TypeMeta: pod.TypeMeta, ObjectMeta: pod.ObjectMeta}
	slim.ManagedFields, slim.Annotations = nil, nil
	slim.Status = corev1.PodStatus{Phase: pod.Status.Phase, Conditions: pod.Status.Conditions}
	for _, c := range pod.Status.ContainerStatuses {
		slim.Status.ContainerStatuses = append(slim.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, State: c.State, LastTerminationState: c.LastTerminationState,
		})
	}
	return slim, nil
}

// operator is what the controllers of one process share.
type operator struct {
	client.Client
	// live reads past the cache: contents of Secrets, and objects that the cache leaves out.
	live     client.Reader
	clock    clock.Clock
	recorder recorder.EventRecorder
	opts     Options

	compiled  *compilations
	fleets    *fleets
	ejections *ejections
	sightings *sightings
	secrets   *compiledSecrets
	apis      *servedAPIs
	wake      wakers
	metrics   *operatorMetrics
}

// SetupWithManager registers indexes, reconcilers, the compiler and the sweeper with a manager whose cache was made with
// CacheOptions and whose scheme comes from NewScheme.
func SetupWithManager(mgr ctrl.Manager, opts Options) error {
	_, err := setup(mgr, opts)
	return err
}

// setup is SetupWithManager, and returns what the controllers share.
func setup(mgr ctrl.Manager, opts Options) (*operator, error) {
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("checking options: %w", err)
	}
	if err := addIndexes(mgr.GetFieldIndexer()); err != nil {
		return nil, err
	}
	apis, err := discovery.NewDiscoveryClientForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("preparing to ask which APIs are served: %w", err)
	}
	op := &operator{
		Client:    mgr.GetClient(),
		live:      mgr.GetAPIReader(),
		clock:     opts.Clock,
		recorder:  mgr.GetEventRecorder(operatorName),
		opts:      opts,
		compiled:  &compilations{},
		fleets:    newFleets(),
		ejections: newEjections(),
		sightings: newSightings(opts.Clock),
		secrets:   newCompiledSecrets(),
		apis:      newServedAPIs(apis, opts.Clock),
		wake:      newWakers(),
	}
	op.registerMetrics(opts.Metrics)
	usage := &KeyUsageReconciler{operator: op}
	for name, register := range map[string]func(ctrl.Manager) error{
		"ModelRoute":         (&ModelRouteReconciler{operator: op}).SetupWithManager,
		"ApiKey":             (&ApiKeyReconciler{operator: op, usage: usage}).SetupWithManager,
		"ProviderCredential": (&ProviderCredentialReconciler{operator: op}).SetupWithManager,
		"GatewayInstance":    newGatewayInstanceReconciler(op).SetupWithManager,
		"GatewayReplica":     (&GatewayReplicaReconciler{operator: op}).SetupWithManager,
		"UsageReport":        (&UsageReportReconciler{operator: op}).SetupWithManager,
		"KeyUsage":           usage.SetupWithManager,
	} {
		if err := register(mgr); err != nil {
			return nil, fmt.Errorf("setting up the %s controller: %w", name, err)
		}
	}
	if err := mgr.Add(newCompiler(op, mgr.GetCache())); err != nil {
		return nil, fmt.Errorf("adding the compiler: %w", err)
	}
	if err := mgr.Add(newSweeper(op, mgr.GetCache())); err != nil {
		return nil, fmt.Errorf("adding the sweeper: %w", err)
	}
	return op, nil
}
