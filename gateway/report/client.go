package report

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

const (
	resource = "gatewayreplicas"
	// A replica writes once a second at most, and three requests when it begins.
	clientQPS   = 5
	clientBurst = 10
)

// replicaClient writes one object.
type replicaClient struct {
	rest    rest.Interface
	object  *v1alpha1.GatewayReplica // without status
	version string
	// ensured says that the object exists with our metadata and spec; generation is its generation then.
	ensured    bool
	generation int64
}

// newReplicaClient makes a client that knows only the types of our group.
func newReplicaClient(opts ReplicaOptions) (*replicaClient, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering types: %w", err)
	}
	config := rest.CopyConfig(opts.Config)
	config.QPS, config.Burst, config.RateLimiter = clientQPS, clientBurst, nil
	config.APIPath, config.GroupVersion = "/apis", &v1alpha1.GroupVersion
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("making client of %s: %w", v1alpha1.GroupVersion, err)
	}
	return &replicaClient{rest: client, object: newObject(opts), version: opts.Version}, nil
}

// newObject is the object without its status.
func newObject(opts ReplicaOptions) *v1alpha1.GatewayReplica {
	object := &v1alpha1.GatewayReplica{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindGatewayReplica},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: opts.Instance.Namespace, Name: opts.Name,
			Labels: map[string]string{v1alpha1.LabelInstance: opts.Instance.Name},
		},
		Spec: v1alpha1.GatewayReplicaSpec{
			Instance: v1alpha1.ObjectName(opts.Instance.Name), PodName: v1alpha1.ObjectName(opts.PodName),
		},
	}
	if opts.PodName != "" {
		object.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: opts.PodName, UID: opts.PodUID}}
	}
	return object
}

// write writes the status, and first the object if it is not there or not ours yet.
func (c *replicaClient) write(ctx context.Context, s state, now time.Time) error {
	if !c.ensured {
		if err := c.ensure(ctx); err != nil {
			return err
		}
	}
	err := c.writeStatus(ctx, s, now)
	if !apierrors.IsNotFound(err) {
		return err
	}
	c.ensured = false // somebody deleted it
	if err := c.ensure(ctx); err != nil {
		return err
	}
	return c.writeStatus(ctx, s, now)
}

// ensure creates the object, or takes over one of the same name: that of the process that ran here before.
func (c *replicaClient) ensure(ctx context.Context) error {
	result := &v1alpha1.GatewayReplica{}
	err := c.rest.Post().Namespace(c.object.Namespace).Resource(resource).Body(c.object).Do(ctx).Into(result)
	if apierrors.IsAlreadyExists(err) {
		err = c.takeOver(ctx, result)
	}
	if err != nil {
		return fmt.Errorf("creating GatewayReplica %q: %w", c.object.Name, err)
	}
	c.ensured, c.generation = true, result.Generation
	return nil
}

// takeOver makes an existing object ours.
func (c *replicaClient) takeOver(ctx context.Context, result *v1alpha1.GatewayReplica) error {
	owners := c.object.OwnerReferences
	if owners == nil {
		owners = []metav1.OwnerReference{}
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"labels": c.object.Labels, "ownerReferences": owners},
		"spec":     map[string]any{"instance": c.object.Spec.Instance, "podName": orNull(string(c.object.Spec.PodName))},
	})
	if err != nil {
		return fmt.Errorf("writing patch: %w", err)
	}
	return c.rest.Patch(types.MergePatchType).Namespace(c.object.Namespace).Resource(resource).Name(c.object.Name).
		Body(patch).Do(ctx).Into(result)
}

// orNull makes a merge patch remove what is empty.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// writeStatus patches the status. Versions that are not known are removed: those of the process that ran here before say
// nothing of this one.
func (c *replicaClient) writeStatus(ctx context.Context, s state, now time.Time) error {
	patch, err := json.Marshal(map[string]any{"status": map[string]any{
		"conditions":         append([]metav1.Condition{c.ready(s)}, c.redis(s)...),
		"observedGeneration": c.generation,
		"loaded": map[string]any{
			"modelRoutes": orNull(s.loaded.ModelRoutes), "apiKeys": orNull(s.loaded.ApiKeys),
			"credentials": orNull(s.loaded.Credentials), "gatewayInstance": orNull(s.loaded.GatewayInstance),
		},
		"version":   orNull(c.version),
		"ejected":   s.ejected,
		"renewTime": metav1.NewMicroTime(now),
	}})
	if err != nil {
		return fmt.Errorf("writing patch: %w", err)
	}
	result := &v1alpha1.GatewayReplica{}
	err = c.rest.Patch(types.MergePatchType).Namespace(c.object.Namespace).Resource(resource).Name(c.object.Name).
		SubResource("status").Body(patch).Do(ctx).Into(result)
	if err != nil {
		return fmt.Errorf("writing status of GatewayReplica %q: %w", c.object.Name, err)
	}
	c.generation = result.Generation
	return nil
}

// ready is the condition Ready.
func (c *replicaClient) ready(s state) metav1.Condition {
	condition := metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonProgressing,
		Message:            "loading what is to be served",
		ObservedGeneration: c.generation, LastTransitionTime: metav1.NewTime(s.transition),
	}
	switch {
	case s.ready:
		condition.Status, condition.Reason, condition.Message = metav1.ConditionTrue, v1alpha1.ReasonReady, "takes requests"
	case s.wasReady:
		condition.Message = "takes no more requests"
	}
	return condition
}

// maxRedisMessage bounds what is said of a Redis that is away, in bytes.
const maxRedisMessage = 256

// redis is the condition RedisAvailable, none without a Redis or before it was tried to reach it.
func (c *replicaClient) redis(s state) []metav1.Condition {
	if !s.redis.Configured || !s.redis.Known {
		return nil
	}
	condition := metav1.Condition{
		Type: v1alpha1.ConditionRedisAvailable, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonRedisConnected, Message: "Redis is reached",
		ObservedGeneration: c.generation, LastTransitionTime: metav1.NewTime(s.redisTransition),
	}
	if away := s.redis.Away; away != "" {
		condition.Status, condition.Reason = metav1.ConditionFalse, v1alpha1.ReasonRedisUnreachable
		condition.Message = strings.ToValidUTF8(away[:min(len(away), maxRedisMessage)], "")
	}
	return []metav1.Condition{condition}
}

// remove deletes the object. One that is gone is no error.
func (c *replicaClient) remove(ctx context.Context) error {
	err := c.rest.Delete().Namespace(c.object.Namespace).Resource(resource).Name(c.object.Name).Do(ctx).Error()
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting GatewayReplica %q: %w", c.object.Name, err)
	}
	return nil
}
