package usage

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"vipcloud.ai/vipcloud/gateway/metrics"
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
	"vipcloud.ai/vipcloud/gateway/table"
)

// settling is a settler whose log and metrics the test reads, and a route.
type settling struct {
	*Settler
	log      bytes.Buffer
	registry *prometheus.Registry
	route    *snapshot.Route
}

// newSettling returns a settler at 10 seconds past the epoch.
func newSettling(t *testing.T) *settling {
	t.Helper()
	s := &settling{registry: prometheus.NewRegistry()}
	m := metrics.New(s.registry)
	s.Settler = NewSettler(slog.New(slog.NewJSONHandler(&s.log, nil)), m, func() time.Time { return time.Unix(10, 0) })
	s.route = &snapshot.Route{
		Route: &table.Route{Model: "m", Pricing: &table.Pricing{Currency: "USD", Base: table.Prices{Input: perToken(t, "1"), Output: perToken(t, "2")}}},
	}
	s.route.Metrics = m.Route(snapshot.OperationChat, "m", "DeepSeek", "USD")
	return s
}

func TestSettle_absentZeroAndEstimatedUsageAreThreeThings(t *testing.T) {
	for name, tc := range map[string]struct {
		change        func(*Record)
		wantUsage     provider.Usage
		wantCost      string
		wantEstimated bool
		wantLogged    bool
		wantUnknown   float64
	}{
		"the vendor told": {
			change:    func(r *Record) { r.Usage = provider.Usage{Known: true, PromptTokens: 1_000_000} },
			wantUsage: provider.Usage{Known: true, PromptTokens: 1_000_000}, wantCost: "1", wantLogged: true,
		},
		"the vendor told zero": {
			change: func(r *Record) { r.Usage = provider.Usage{Known: true} }, wantUsage: provider.Usage{Known: true}, wantCost: "0", wantLogged: true,
		},
		"the vendor told nothing": {
			change:    func(r *Record) { r.PromptBytes, r.AnswerBytes = 4_000_000, 4 },
			wantUsage: provider.Usage{PromptTokens: 1_000_000, CompletionTokens: 1}, wantCost: "1.000002", wantEstimated: true, wantLogged: true,
		},
		"the client left": {
			change:    func(r *Record) { r.Outcome, r.PromptBytes = OutcomeClientGone, 4_000_000 },
			wantUsage: provider.Usage{PromptTokens: 1_000_000}, wantCost: "1", wantEstimated: true, wantLogged: true,
		},
		"the vendor refused": {change: func(r *Record) { r.Outcome, r.PromptBytes = OutcomeFailed, 4_000_000 }, wantCost: "0"},
		"the vendor never answered": {
			change: func(r *Record) {
				r.Operation, r.Outcome, r.Unanswered, r.PromptBytes = snapshot.OperationChat, OutcomeFailed, true, 4_000_000
			},
			wantUsage: provider.Usage{PromptTokens: 1_000_000}, wantCost: "1", wantEstimated: true, wantLogged: true, wantUnknown: 1,
		},
		"nobody knows whether there is an image": {
			change: func(r *Record) {
				r.Operation, r.Outcome, r.Unanswered, r.Estimate = snapshot.OperationImage, OutcomeFailed, true, provider.Usage{Images: 1}
			},
			wantCost: "0", wantUnknown: 1,
		},
		"targets before the one that told": {
			change: func(r *Record) {
				r.Usage, r.Superseded = provider.Usage{Known: true, PromptTokens: 1_000_000}, 2
			},
			wantUsage: provider.Usage{Known: true, PromptTokens: 1_000_000}, wantCost: "1", wantLogged: true, wantUnknown: 2,
		},
		"nobody was called":      {change: func(r *Record) { r.Called, r.PromptBytes = false, 4_000_000 }, wantCost: "0"},
		"no route served at all": {change: func(r *Record) { r.Served, r.Route = nil, nil }, wantCost: "0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSettling(t)
			rec := &Record{RequestID: "r", Status: 200, Start: time.Unix(9, 0), Route: s.route, Served: s.route, Called: true, Outcome: OutcomeOK}
			tc.change(rec)
			got := s.Settle(rec)
			if diff := cmp.Diff(tc.wantUsage, got.Usage); diff != "" {
				t.Errorf("usage (-want +got):\n%s", diff)
			}
			if got.Cost.Decimal() != tc.wantCost || got.Estimated != tc.wantEstimated {
				t.Errorf("cost %s, estimated %v", got.Cost, got.Estimated)
			}
			if n := unknown(t, s.registry); n != tc.wantUnknown {
				t.Errorf("vipcloud_usage_unaccounted_total is %v, want %v", n, tc.wantUnknown)
			}
			var line map[string]any
			if err := json.Unmarshal(s.log.Bytes(), &line); err != nil {
				t.Fatalf("log is not one line of JSON: %q", s.log.String())
			}
			if _, logged := line["promptTokens"]; logged != tc.wantLogged {
				t.Errorf("tokens logged: %v, want %v: %v", logged, tc.wantLogged, line)
			}
			if n, _ := testutil.GatherAndCount(s.registry, "gen_ai_server_request_duration_seconds"); rec.Route != nil && n == 0 {
				t.Error("no duration was observed")
			}
		})
	}
}

// unknown adds up vipcloud_usage_unaccounted_total.
func unknown(t *testing.T, registry *prometheus.Registry) (n float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "vipcloud_usage_unaccounted_total" {
			for _, m := range f.GetMetric() {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}

func TestSettle_logsWhatMayBeShownAndNothingElse(t *testing.T) {
	s := newSettling(t)
	s.Settle(&Record{
		RequestID: "req_1", Method: "POST", Path: "/v1/chat/completions", Status: 502, Start: time.Unix(9, 0), Route: s.route, Served: s.route,
		Key:     &table.Key{Namespace: "shop", Name: "web", Project: "shop/checkout", Prefix: "vc-sk-ab"},
		Outcome: OutcomeFailed, Err: &openai.Error{Status: 502, Code: "upstream_credential", Message: "m"},
		UpstreamErr: &provider.Error{Class: provider.ClassUnauthorized, Status: 401, Code: "invalid_api_key", Message: "key sk-…abcd is wrong", RequestID: "up-1"},
	})
	var line map[string]any
	if err := json.Unmarshal(s.log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	delete(line, "time")
	want := map[string]any{
		"level": "INFO", "msg": "Request", "requestID": "req_1", "method": "POST", "path": "/v1/chat/completions", "status": 502.0,
		"outcome": "failed", "durationMs": 1000.0, "bytesOut": 0.0, "key": "shop/web", "project": "shop/checkout", "keyPrefix": "vc-sk-ab",
		"model": "m", "stream": false, "attempts": 0.0, "code": "upstream_credential",
		"upstream": "upstream unauthorized (status 401, code invalid_api_key)", "upstreamRequestID": "up-1",
	}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	if strings.Contains(s.log.String(), "abcd") {
		t.Error("the vendor's text, which may quote keys and prompts, is logged")
	}
}

func TestSettle_unknownModelsMintNoLabels(t *testing.T) {
	s := newSettling(t)
	for _, model := range []string{"a", "b", "c"} {
		s.Settle(&Record{Status: 404, Model: model, Outcome: OutcomeRefused, Err: openai.UnknownModel(model)})
	}
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if v := l.GetValue(); v == "a" || v == "b" || v == "c" {
					t.Errorf("%s has a label %s=%s", f.GetName(), l.GetName(), v)
				}
			}
		}
	}
}

func BenchmarkSettle(b *testing.B) {
	s := &settling{registry: prometheus.NewRegistry()}
	m := metrics.New(s.registry)
	settler := NewSettler(slog.New(slog.NewJSONHandler(&s.log, nil)), m, time.Now)
	route := &snapshot.Route{Route: &table.Route{Model: "m"}, Metrics: m.Route("chat", "m", "p", "USD")}
	rec := &Record{RequestID: "r", Status: 200, Route: route, Served: route, Called: true, Usage: provider.Usage{Known: true, PromptTokens: 5}}
	b.ReportAllocs()
	for b.Loop() {
		s.log.Reset()
		settler.Settle(rec)
	}
}
