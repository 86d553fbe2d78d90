package kubernetes

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/flowcontrol"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

const (
	// clientQPS and clientBurst bound what a source asks of the API server. It only opens watches: a few in cluster mode, and
	// at most three for each namespace in namespaced mode, which is what the burst is for.
	clientQPS   = 20
	clientBurst = 100

	// Metadata of namespaces is all that is read of them.
	acceptMetadata     = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
	acceptMetadataList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

	// A connection that was silent for 10 seconds is pinged, and given up if no answer comes within 5. Without that, a
	// connection that broke without a word (a node that vanished, a NAT entry that timed out) would look like a quiet watch
	// for up to 45 seconds, and a revoked key would be served all that time.
	readIdleSeconds    = "10"
	pingTimeoutSeconds = "5"
)

// EnableHealthPings makes every Kubernetes client of this process that is made after it notice a dead connection within 15
// seconds. client-go takes these two settings of its HTTP/2 transport only from the environment; a transport of our own
// could take them as values, but would lose client-go's reloading of authorities, client certificates and exec plugins.
// Variables that are already set are left alone.
func EnableHealthPings() error {
	for name, value := range map[string]string{
		"HTTP2_READ_IDLE_TIMEOUT_SECONDS": readIdleSeconds,
		"HTTP2_PING_TIMEOUT_SECONDS":      pingTimeoutSeconds,
	} {
		if _, set := os.LookupEnv(name); set {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
	}
	return nil
}

// clients reach the API server: one for our group, one for core. They share connections and limits.
type clients struct{ ours, core rest.Interface }

// newClients makes clients with a scheme of only the types that are read.
func newClients(config *rest.Config) (clients, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return clients{}, fmt.Errorf("registering types: %w", err)
	}
	scheme.AddKnownTypes(corev1.SchemeGroupVersion, &corev1.Secret{}, &corev1.SecretList{})
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		return clients{}, fmt.Errorf("registering metadata types: %w", err)
	}

	base := rest.CopyConfig(config)
	base.QPS, base.Burst = clientQPS, clientBurst
	base.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(clientQPS, clientBurst)
	base.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	base.Timeout = 0 // a watch has no end of its own
	httpClient, err := rest.HTTPClientFor(base)
	if err != nil {
		return clients{}, fmt.Errorf("making HTTP client: %w", err)
	}
	newClient := func(path string, version schema.GroupVersion) (rest.Interface, error) {
		c := rest.CopyConfig(base)
		c.APIPath, c.GroupVersion = path, &version
		return rest.RESTClientForConfigAndClient(c, httpClient)
	}
	var c clients
	if c.ours, err = newClient("/apis", v1alpha1.GroupVersion); err != nil {
		return clients{}, fmt.Errorf("making client of %s: %w", v1alpha1.GroupVersion, err)
	}
	if c.core, err = newClient("/api", corev1.SchemeGroupVersion); err != nil {
		return clients{}, fmt.Errorf("making client of core: %w", err)
	}
	return c, nil
}

// request is what a watch asks for.
type request struct {
	client    rest.Interface
	resource  string
	namespace string // empty: all
	name      string // empty: all
	metadata  bool   // only metadata
	example   runtime.Object
}

// listWatch returns the list and watch calls of a request. opened is called whenever a watch was opened.
func (r request) listWatch(opened func()) *cache.ListWatch {
	selector := ""
	if r.name != "" {
		selector = fields.OneTermEqualSelector(metav1.ObjectNameField, r.name).String()
	}
	call := func(options *metav1.ListOptions, accept string) *rest.Request {
		options.FieldSelector = selector
		req := r.client.Get().Namespace(r.namespace).Resource(r.resource).VersionedParams(options, metav1.ParameterCodec)
		if r.metadata {
			req.SetHeader("Accept", accept)
		}
		return req
	}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return call(&options, acceptMetadataList).Do(ctx).Get()
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch = true
			options.AllowWatchBookmarks = true // they say that a quiet watch is up to date
			w, err := call(&options, acceptMetadata).Watch(ctx)
			if err == nil {
				opened()
			}
			return w, err
		},
	}
}
