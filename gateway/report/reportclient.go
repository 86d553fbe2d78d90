package report

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

const (
	reportsResource = "usagereports"
	// A ledger writes a few times a second, and all of its shards at its end.
	reportQPS   = 30
	reportBurst = 100
	// A label's value has no more characters than this.
	maxLabel = 63
)

// reportClient reads and writes UsageReports of one instance.
type reportClient struct {
	rest     rest.Interface
	instance types.NamespacedName
	replica  string
	podUID   types.UID
}

// newReportClient makes a client that knows only the types of our group.
func newReportClient(opts LedgerOptions) (*reportClient, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering types: %w", err)
	}
	metav1.AddToGroupVersion(scheme, v1alpha1.GroupVersion)
	config := rest.CopyConfig(opts.Config)
	config.QPS, config.Burst, config.RateLimiter = reportQPS, reportBurst, nil
	config.APIPath, config.GroupVersion = "/apis", &v1alpha1.GroupVersion
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.Timeout = 0 // a watch has no end of its own; writes have a context that ends
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("making client of %s: %w", v1alpha1.GroupVersion, err)
	}
	return &reportClient{rest: client, instance: opts.Instance, replica: opts.Replica, podUID: opts.PodUID}, nil
}

// labelOf is a name as a label can hold it.
func labelOf(name string) string { return strings.TrimRight(name[:min(len(name), maxLabel)], "-.") }

// mergedKept is how long an archive remembers at least that it holds a report that is gone; the operator doubles it. A replica that the
// API server did not speak to for longer cannot tell a report that was merged from one that somebody deleted, and takes it for merged.
const mergedKept = 12 * time.Hour

// object is a live report as it is written.
func (c *reportClient) object(s *slot, shard int, data []byte, writer string) *v1alpha1.UsageReport {
	return &v1alpha1.UsageReport{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindUsageReport},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: c.instance.Namespace, Name: s.name, UID: s.uid, ResourceVersion: s.version,
			Labels: map[string]string{
				v1alpha1.LabelInstance: c.instance.Name, v1alpha1.LabelReplica: labelOf(c.replica),
				v1alpha1.LabelPodUID: string(c.podUID), v1alpha1.LabelShard: strconv.Itoa(shard),
			},
			Annotations: map[string]string{v1alpha1.AnnotationWriter: writer},
		},
		Gateway: v1alpha1.ObjectName(c.instance.Name), Replica: v1alpha1.ObjectName(c.replica),
		Shard: int32(shard), Role: v1alpha1.UsageReportLive,
		Report: runtime.RawExtension{Raw: data},
	}
}

// put creates a report that has no UID yet, or replaces exactly the version that it has.
func (c *reportClient) put(ctx context.Context, object *v1alpha1.UsageReport) (*v1alpha1.UsageReport, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	request := c.rest.Post()
	if object.UID != "" {
		request = c.rest.Put().Name(object.Name)
	}
	result := &v1alpha1.UsageReport{}
	err := request.Namespace(object.Namespace).Resource(reportsResource).Body(object).Do(ctx).Into(result)
	if err != nil {
		return nil, fmt.Errorf("writing UsageReport %q: %w", object.Name, err)
	}
	return result, nil
}

// get reads a report as it is now.
func (c *reportClient) get(ctx context.Context, name string) (*v1alpha1.UsageReport, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	result := &v1alpha1.UsageReport{}
	if err := c.rest.Get().Namespace(c.instance.Namespace).Resource(reportsResource).Name(name).Do(ctx).Into(result); err != nil {
		return nil, fmt.Errorf("reading UsageReport %q: %w", name, err)
	}
	return result, nil
}

// merged is what an archive says of a live report that it holds.
type merged struct {
	held     bool
	sequence int64
	known    bool // sequence is
}

// archivedIn says whether the archive of a shard holds a report.
func archivedIn(archive *v1alpha1.UsageReport, uid types.UID) merged {
	m := merged{held: slices.Contains(archive.Merged, v1alpha1.ReportUID(uid))}
	var all map[string][2]int64
	if err := json.Unmarshal([]byte(archive.Annotations[v1alpha1.AnnotationMerged]), &all); err == nil {
		var entry [2]int64
		entry, m.known = all[string(uid)]
		m.sequence = entry[0]
	}
	return m
}

// archiveName is the name of the archive of a shard.
func (c *reportClient) archiveName(shard int) string {
	return "vipcloud-" + c.instance.Name + "-archive-" + strconv.Itoa(shard)
}

// own lists what this replica wrote.
func (c *reportClient) own(ctx context.Context) ([]v1alpha1.UsageReport, error) {
	ctx, cancel := context.WithTimeout(ctx, 6*writeTimeout)
	defer cancel()
	selector := labels.SelectorFromSet(labels.Set{
		v1alpha1.LabelInstance: c.instance.Name, v1alpha1.LabelReplica: labelOf(c.replica), v1alpha1.LabelPodUID: string(c.podUID),
	})
	list := &v1alpha1.UsageReportList{}
	err := c.rest.Get().Namespace(c.instance.Namespace).Resource(reportsResource).
		VersionedParams(&metav1.ListOptions{LabelSelector: selector.String()}, metav1.ParameterCodec).Do(ctx).Into(list)
	if err != nil {
		return nil, fmt.Errorf("listing UsageReports of this replica: %w", err)
	}
	return list.Items, nil
}

// listWatch are the list and watch calls on all reports of the instance.
func (c *reportClient) listWatch() *cache.ListWatch {
	selector := labels.SelectorFromSet(labels.Set{v1alpha1.LabelInstance: c.instance.Name}).String()
	call := func(options *metav1.ListOptions) *rest.Request {
		options.LabelSelector = selector
		return c.rest.Get().Namespace(c.instance.Namespace).Resource(reportsResource).VersionedParams(options, metav1.ParameterCodec)
	}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return call(&options).Do(ctx).Get()
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch, options.AllowWatchBookmarks = true, true
			return call(&options).Watch(ctx)
		},
	}
}
