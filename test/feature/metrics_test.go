package feature_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/test/sim"
)

// value is that of a line of the exposition whose beginning is given; false if there is none.
func (e *env) value(series string) (string, bool) {
	e.t.Helper()
	for line := range strings.Lines(e.metrics()) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

// wantSome wants a series whose value is not 0.
func (e *env) wantSome(series string) {
	e.t.Helper()
	if got, ok := e.value(series); !ok || got == "0" {
		e.t.Errorf("%s is %q", series, got)
	}
}

func TestMetrics_ofAStream(t *testing.T) {
	e := simple(t)
	a := e.take(e.do("POST", "/v1/chat/completions", chat("deepseek-v4-pro", "tell me a long story", `"stream":true`)))
	a.expect(http.StatusOK)
	e.request(1)
	labels := `{gen_ai_operation_name="chat",gen_ai_provider_name="DeepSeek",gen_ai_request_model="deepseek-v4-pro"}`
	for _, name := range []string{
		"gen_ai_server_time_to_first_token_seconds", "gen_ai_server_time_per_output_token_seconds",
		"gen_ai_client_operation_time_per_output_chunk_seconds",
	} {
		e.wantSome(name + "_count" + labels)
	}
	e.wantMetric(`vipcloud_target_in_flight{gen_ai_request_model="deepseek-v4-pro",target="vipcloud-system/deepseek-v4-pro/t0"} 0`)
	e.wantSome("vipcloud_table_published_timestamp_seconds")
}

func TestMetrics_ofRetriesAndFallbacks(t *testing.T) {
	e := newEnv(t)
	m := e.route("m", "", "deepseek", "openai")
	m.Spec.Targets[0].Model, m.Spec.Fallbacks = "deepseek-v4-pro", []v1alpha1.ModelName{"spare"}
	e.route("spare", "deepseek-v4-pro", "deepseek")
	e.key(shop, "shop", testKey, nil)
	e.apply()
	e.vendors.Vendor(sim.DeepSeek).FailNext(1, sim.ServerError)
	e.vendors.Vendor(sim.OpenAI).FailNext(1, sim.ServerError)
	e.say("hello").expect(http.StatusOK)
	e.request(1)
	e.wantMetric(`vipcloud_retries_total{gen_ai_request_model="m",kind="retry"} 1`)
	e.wantMetric(`vipcloud_retries_total{gen_ai_request_model="m",kind="fallback"} 1`)
}

func TestMetrics_ofRefusals(t *testing.T) {
	e := limited(t, func(s *v1alpha1.ApiKeySpec) { s.Limits = &v1alpha1.KeyLimits{RequestsPerMinute: new(int64(0))} })
	e.ask("deepseek-v4-pro").expect(http.StatusTooManyRequests)
	e.request(1)
	e.wantMetric(`vipcloud_limit_refusals_total{reason="requests_per_minute"} 1`)
}

// Whatever a gateway shows stands on the page, under the same labels.
func TestMetrics_areOnTheirPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	e := limited(t, func(s *v1alpha1.ApiKeySpec) { s.Limits = &v1alpha1.KeyLimits{RequestsPerMinute: new(int64(1))} })
	e.ask("deepseek-v4-pro").expect(http.StatusOK)
	e.ask("deepseek-v4-pro").expect(http.StatusTooManyRequests)
	e.request(2)
	families, err := e.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		row := regexp.MustCompile("(?m)^\\| `" + f.GetName() + "` \\| ([a-z]+) \\| ([^|]*) \\|").FindSubmatch(page)
		if row == nil {
			t.Errorf("%s is not on the page; run make metrics", f.GetName())
			continue
		}
		if kind := strings.ToLower(f.GetType().String()); kind != string(row[1]) {
			t.Errorf("%s is a %s, not a %s", f.GetName(), kind, row[1])
		}
		for _, l := range f.GetMetric()[0].GetLabel() {
			if !strings.Contains(string(row[2]), "`"+l.GetName()+"`") {
				t.Errorf("%s: the page does not know label %s", f.GetName(), l.GetName())
			}
		}
	}
}
