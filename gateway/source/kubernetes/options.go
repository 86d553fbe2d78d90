package kubernetes

import (
	"errors"
	"log/slog"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/table"
)

// Options of a Source.
type Options struct {
	// Config reaches the API server. It is copied; QPS and burst are set by the source. Required.
	Config *rest.Config
	// Instance is the GatewayInstance that is served. Required.
	Instance types.NamespacedName
	// WatchNamespaces are the namespaces that "All" means in namespaced mode, where nothing cluster-wide is read. Empty:
	// cluster mode.
	WatchNamespaces []string
	// Providers are the vendors that this binary has adapters for.
	Providers table.Providers
	// Sink takes what is published. Table and Keys are required.
	Sink source.Sink
	// Logger takes what an operator must see. Nil: slog.Default().
	Logger *slog.Logger
	// Clock tells the time. Nil: the real one.
	Clock clock.WithTicker
}

// validate fills in defaults and returns all problems.
func (o *Options) validate() error {
	var problems []error
	if o.Config == nil {
		problems = append(problems, errors.New("config is missing"))
	}
	if o.Instance.Name == "" || o.Instance.Namespace == "" {
		problems = append(problems, errors.New("instance needs a namespace and a name"))
	}
	if o.Sink.Table == nil || o.Sink.Keys == nil {
		problems = append(problems, errors.New("sink needs Table and Keys"))
	}
	if len(o.WatchNamespaces) == 0 {
		o.WatchNamespaces = nil
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return errors.Join(problems...)
}
