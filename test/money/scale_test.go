package money_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	prommodel "github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/provider/all"
	"vipcloud.ai/vipcloud/gateway/report"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/source/kubernetes"
	"vipcloud.ai/vipcloud/gateway/table"
	"vipcloud.ai/vipcloud/test/sim"
)

const (
	// activeKeys is how many keys are in use, by replicas gateways, each of which settles perSecond requests a second.
	activeKeys, replicas, perSecond = 10_000, 3, 300
	// etcdBound is how many bytes a second all of it may send to etcd, reportBound the reports of one replica.
	etcdBound, reportBound = 2 << 20, 160 << 10
	// watched is for how long that is measured.
	watched = 60 * time.Second
	// envObjects is how many of the keys there are as ApiKeys, for a machine on which 10,000 take too long to make. Default: all.
	envObjects = "VIPCLOUD_USAGE_KEY_OBJECTS"
)

// countedKeys counts what changes in the index of keys.
type countedKeys struct {
	source.Keys
	changes atomic.Int64
}

// Replace implements source.Keys.
func (c *countedKeys) Replace(keys []*table.Key) { c.changes.Add(1); c.Keys.Replace(keys) }

// Put implements source.Keys.
func (c *countedKeys) Put(key *table.Key) { c.changes.Add(1); c.Keys.Put(key) }

// Delete implements source.Keys.
func (c *countedKeys) Delete(namespace, name string) {
	c.changes.Add(1)
	c.Keys.Delete(namespace, name)
}

// member is a gateway in this process.
type member struct {
	server   *gateway.Server
	registry *prometheus.Registry
	keys     *countedKeys
	builds   atomic.Int64
}

// join runs a gateway as cmd/vipcloud does, and returns once it is ready.
func (w *world) join(name string) *member {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	m := &member{registry: prometheus.NewRegistry()}
	m.server, err = gateway.New(gateway.Options{
		Listener: l, Adapters: all.Adapters(), AccessLog: quiet, Log: quiet, DrainDelay: -1, DrainTimeout: time.Second, Registry: m.registry,
		ShareLimits: true,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	m.keys = &countedKeys{Keys: m.server.Keys()}
	instance := types.NamespacedName{Namespace: system, Name: "default"}
	replica, err := report.NewReplica(report.ReplicaOptions{Config: w.config, Instance: instance, Name: name, Version: "test", Logger: quiet})
	if err != nil {
		w.t.Fatal(err)
	}
	books, err := report.NewLedger(report.LedgerOptions{
		Config: w.config, Instance: instance, Replica: name, Books: m.server.Books(), Logger: quiet, Registry: m.registry,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	src, err := kubernetes.New(kubernetes.Options{
		Config: w.config, Instance: instance, Providers: providers(), Logger: quiet,
		Sink: source.Sink{
			Table: func(in table.Input) { m.builds.Add(1); m.server.Apply(in) }, Keys: m.keys, KeyRing: m.server.KeyRing().Set, Loaded: replica.Loaded,
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, run := range []func(context.Context) error{src.Run, replica.Run, books.Run, m.server.Run} {
		w.background(run)
	}
	for _, ready := range []<-chan struct{}{src.Synced(), books.Synced(), replica.FirstWritten()} {
		select {
		case <-ready:
		case <-time.After(patience):
			w.t.Fatalf("%s is not ready in time", name)
		}
		replica.SetReady(true)
	}
	return m
}

// value is that of a metric without labels, or the sum of all of its name.
func (m *member) value(t *testing.T, name string) (sum float64) {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, x := range f.GetMetric() {
				sum += x.GetCounter().GetValue() + x.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// etcdReceived is how many bytes clients, of which there is one API server, have sent to etcd.
func (w *world) etcdReceived() float64 {
	w.t.Helper()
	resp, err := (&http.Client{Timeout: patience}).Get(w.env.ControlPlane.Etcd.URL.String() + "/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	parser := expfmt.NewTextParser(prommodel.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(text)))
	if err != nil {
		w.t.Fatal(err)
	}
	f := families["etcd_network_client_grpc_received_bytes_total"]
	if f == nil {
		w.t.Fatal("etcd does not say how many bytes it has received")
	}
	return f.GetMetric()[0].GetCounter().GetValue()
}

// keyName names the n-th key.
func keyName(n int) string { return fmt.Sprintf("key-%d", n) }

// settleSome counts a request of any key on a day so long ago.
func (m *member) settleSome(ago int) {
	m.server.Books().Settle(&ledger.Entry{
		Key: shop + "/" + keyName(rand.N(activeKeys)), Model: fmt.Sprintf("model-%d", rand.N(3)), At: time.Now().AddDate(0, 0, -ago), Requests: 1,
		Cost: 1_234_567, Usage: ledger.Usage{PromptTokens: 5_000, CompletionTokens: 400, CachedTokens: 1_024},
	})
}

// TestScale_usageOfManyKeys measures what usage costs an API server, with pages as large as they get, and that no table and no index of keys
// is built because of it.
func TestScale_usageOfManyKeys(t *testing.T) {
	objects := activeKeys
	if text := os.Getenv(envObjects); text != "" {
		var err error
		if objects, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", envObjects, err)
		}
	}
	w := newWorld(t)
	vendors := sim.NewServer(sim.Options{})
	w.declare(w.serve(vendors)+vendors.Prefix(sim.DeepSeek), vendors.Vendor(sim.DeepSeek).Key())
	var group errgroup.Group
	begun := time.Now()
	group.SetLimit(16)
	for n := range objects {
		group.Go(func() error { return w.client.Create(t.Context(), hashKey(keyName(n), plaintext(n))) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	var members []*member
	for n := range replicas {
		m := w.join(fmt.Sprintf("replica-%d", n))
		for range 40 * activeKeys { // what a month has left, as far as a page has room
			m.settleSome(rand.N(30))
		}
		members = append(members, m)
	}
	for _, m := range members {
		w.eventually("all keys are accepted", func() bool { return m.server.Keys().Len() == objects })
	}
	t.Logf("%d keys are accepted after %v", objects, time.Since(begun).Round(time.Second))
	w.load(members)
	w.eventually("the operator has written the usage of all keys once", func() bool { return w.usageKnown() == objects })

	type state struct{ bytes, writes, builds, swaps, keys float64 }
	look := func(m *member) state {
		return state{
			m.value(t, "vipcloud_usage_report_bytes_total"), m.value(t, "vipcloud_usage_report_writes_total"), float64(m.builds.Load()),
			m.value(t, "vipcloud_table_swaps_total") + m.value(t, "vipcloud_table_noops_total"), float64(m.keys.changes.Load()),
		}
	}
	before, etcd, begin := map[*member]state{}, w.etcdReceived(), time.Now()
	for _, m := range members {
		before[m] = look(m)
	}
	<-time.After(watched)
	seconds := time.Since(begin).Seconds()
	rate := (w.etcdReceived() - etcd) / seconds
	for n, m := range members {
		now, was := look(m), before[m]
		reports := (now.bytes - was.bytes) / seconds
		t.Logf("replica %d: %.0f KiB/s in %.1f reports/s; oldest unreported %.0f s", n, reports/1024, (now.writes-was.writes)/seconds,
			m.value(t, "vipcloud_usage_unreported_seconds"))
		if reports > reportBound || reports == 0 {
			t.Errorf("replica %d writes %.0f bytes/s of reports, want at most %d and some", n, reports, reportBound)
		}
		if now.builds != was.builds || now.swaps != was.swaps || now.keys != was.keys {
			t.Errorf("replica %d: usage has built %v tables and changed the index of keys %v times", n, now.builds-was.builds, now.keys-was.keys)
		}
	}
	t.Logf("etcd receives %.0f KiB/s from everything", rate/1024)
	if rate > etcdBound {
		t.Errorf("etcd receives %.0f bytes/s, want at most %d", rate, etcdBound)
	}
}

// load makes all replicas settle requests until the test ends.
func (w *world) load(members []*member) {
	for _, m := range members {
		w.background(func(ctx context.Context) error {
			ticker := time.NewTicker(time.Second / 10)
			defer ticker.Stop()
			for {
				select {
				case <-ctx.Done():
					return nil
				case <-ticker.C:
					for range perSecond / 10 {
						m.settleSome(0)
					}
				}
			}
		})
	}
}

// usageKnown counts the keys whose status tells their usage.
func (w *world) usageKnown() (n int) {
	w.t.Helper()
	list := &v1alpha1.ApiKeyList{}
	if err := w.client.List(w.t.Context(), list); err != nil {
		w.t.Fatal(err)
	}
	for i := range list.Items {
		if u := list.Items[i].Status.Usage; u != nil && u.Lifetime != "0" {
			n++
		}
	}
	return n
}
