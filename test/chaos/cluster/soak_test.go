package cluster_test

import (
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	commonmodel "github.com/prometheus/common/model"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

const (
	// soakRate is how many requests are made in a second.
	soakRate = 20
	// sampleEvery is how often gateways are looked at.
	sampleEvery = 10 * time.Second
)

// sample is what a gateway takes.
type sample struct{ rss, goroutines float64 }

// sample reads a gateway's metrics.
func (r *replica) sample() sample {
	r.w.t.Helper()
	resp, err := r.w.http.Get(r.admin + "/metrics")
	if err != nil {
		r.w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	parser := expfmt.NewTextParser(commonmodel.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		r.w.t.Fatal(err)
	}
	value := func(name string) float64 { return families[name].GetMetric()[0].GetGauge().GetValue() }
	return sample{rss: value("process_resident_memory_bytes"), goroutines: value("go_goroutines")}
}

// median of one figure of some samples.
func median(samples []sample, figure func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = figure(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// TestSoak runs for as many minutes as SOAK says, and not at all without it: two gateways under a mixed load of a bounded rate, of which neither
// memory nor goroutines may grow, and whose books must be the vendor's in the end.
func TestSoak(t *testing.T) {
	minutes, err := strconv.Atoi(os.Getenv("SOAK"))
	if err != nil || minutes < 1 {
		t.Skip("SOAK is not set; use make soak")
	}
	w := newWorld(t, vendorOptions())
	keys := []string{w.key("a", nil), w.key("b", func(s *v1alpha1.ApiKeySpec) {
		s.Budget = &v1alpha1.Budget{Amount: "1000", Period: v1alpha1.BudgetPeriodMonth}
	}), w.key("c", func(s *v1alpha1.ApiKeySpec) {
		s.Limits = &v1alpha1.KeyLimits{RequestsPerMinute: new(int64(60)), TokensPerMinute: new(int64(1_000_000)), ConcurrentRequests: new(int64(50))}
	})}
	w.operator()
	replicas := []*replica{w.gateway("left"), w.gateway("right")}
	w.warm(replicas, keys[0])
	l := w.begin(soakRate, keys, replicas...)
	samples := map[*replica][]sample{}
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for end := time.Now().Add(time.Duration(minutes) * time.Minute); time.Now().Before(end); <-ticker.C {
		for _, r := range replicas {
			samples[r] = append(samples[r], r.sample())
		}
	}
	l.end()
	t.Logf("%d minutes: %s", minutes, l.figures())
	if l.served.Load() == 0 || l.refused.Load() == 0 || l.failed.Load() > 0 {
		t.Error("the load was not what it should be")
	}
	for _, r := range replicas {
		r.flat(samples[r])
	}
	w.compare(nil)
	for _, r := range replicas {
		if status := w.status(r.admin + "/readyz"); status != http.StatusOK {
			t.Errorf("%s is not ready in the end: %d", r.name, status)
		}
	}
}

// flat compares the middle third of the samples with the last one: the first one is for caches and pools to fill.
func (r *replica) flat(all []sample) {
	r.w.t.Helper()
	middle, last := all[len(all)/3:2*len(all)/3], all[2*len(all)/3:]
	for name, figure := range map[string]struct {
		of    func(sample) float64
		slack float64
	}{
		"RSS in MiB": {func(s sample) float64 { return s.rss / (1 << 20) }, 8}, "goroutines": {func(s sample) float64 { return s.goroutines }, 20},
	} {
		before, after := median(middle, figure.of), median(last, figure.of)
		r.w.t.Logf("%s: %s: %.0f at the beginning, %.0f then, %.0f in the end", r.name, name, median(all[:1], figure.of), before, after)
		if after > before*1.1+figure.slack {
			r.w.t.Errorf("%s: %s grows from %.0f to %.0f", r.name, name, before, after)
		}
	}
}
