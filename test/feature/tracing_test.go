package feature_test

import (
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectortraces "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/gateway/tracing"
	"vipcloud.ai/vipcloud/test/sim"
)

// receiver takes OTLP over HTTP.
type receiver struct {
	t      *testing.T
	url    string
	export *tracing.Export

	mu      sync.Mutex
	spans   []*traces.Span
	records []*logs.LogRecord
	raw     strings.Builder
	header  http.Header
}

// newReceiver starts one, and an export to it.
func newReceiver(t *testing.T, ratio float64) *receiver {
	t.Helper()
	r := &receiver{t: t}
	server := httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(server.Close)
	r.url = server.URL
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-token=topsecret")
	var err error
	r.export, err = tracing.NewExport(t.Context(), tracing.ExportOptions{
		Endpoint: server.URL, SampleRatio: ratio, UsageLog: true, Version: "v1", Instance: "vipcloud-system/default", Pod: "pod-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// take takes one export.
func (r *receiver) take(w http.ResponseWriter, req *http.Request) {
	body := io.Reader(req.Body)
	if req.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			r.t.Error(err)
			return
		}
		body = unzipped
	}
	b, err := io.ReadAll(body)
	if err != nil {
		r.t.Error(err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw.Write(b)
	r.header = req.Header.Clone()
	switch req.URL.Path {
	case "/v1/traces":
		var in collectortraces.ExportTraceServiceRequest
		if err := proto.Unmarshal(b, &in); err != nil {
			r.t.Error(err)
		}
		for _, resource := range in.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				r.spans = append(r.spans, scope.GetSpans()...)
			}
		}
	case "/v1/logs":
		var in collectorlogs.ExportLogsServiceRequest
		if err := proto.Unmarshal(b, &in); err != nil {
			r.t.Error(err)
		}
		for _, resource := range in.GetResourceLogs() {
			for _, scope := range resource.GetScopeLogs() {
				r.records = append(r.records, scope.GetLogRecords()...)
			}
		}
	default:
		r.t.Errorf("export to %s", req.URL.Path)
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// trace makes a gateway trace to the receiver.
func (r *receiver) trace(o *gateway.Options) {
	o.Tracer = r.export.Tracer()
	o.AccessLog = slog.New(slog.NewMultiHandler(o.AccessLog.Handler(), r.export.UsageLog()))
}

// flush ends the export: all that there is has arrived then.
func (r *receiver) flush() {
	r.t.Helper()
	if err := r.export.Shutdown(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// values are attributes by name.
func values(attributes []*common.KeyValue) map[string]any {
	m := map[string]any{}
	for _, a := range attributes {
		switch v := a.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			m[a.GetKey()] = v.StringValue
		case *common.AnyValue_IntValue:
			m[a.GetKey()] = v.IntValue
		case *common.AnyValue_DoubleValue:
			m[a.GetKey()] = v.DoubleValue
		case *common.AnyValue_BoolValue:
			m[a.GetKey()] = v.BoolValue
		}
	}
	return m
}

// wantValues compares what is named; "*" stands for anything but zero.
func wantValues(t *testing.T, got, want map[string]any) {
	t.Helper()
	for name, w := range want {
		g, ok := got[name]
		if !ok || (w != "*" && g != w) || g == "" || g == int64(0) {
			t.Errorf("%s is %v, want %v", name, g, w)
		}
	}
}

// of returns the spans of a kind, in the order of their ends.
func (r *receiver) of(kind traces.Span_SpanKind) []*traces.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*traces.Span
	for _, s := range r.spans {
		if s.GetKind() == kind {
			list = append(list, s)
		}
	}
	return list
}

const (
	traceID     = "4bf92f3577b34da6a3ce929d0e0e4736"
	traceparent = "00-" + traceID + "-00f067aa0ba902b7-01"
	notSampled  = "00-" + traceID + "-00f067aa0ba902b7-00"
)

func TestTracing_followsARequestFromClientToVendor(t *testing.T) {
	r := newReceiver(t, 0)
	e := simple(t, r.trace)
	const prompt = "my secret prompt"
	a := e.take(e.do("POST", "/v1/chat/completions", chat("deepseek-v4-pro", prompt, `"stream":true`), "Traceparent", traceparent,
		"Tracestate", "vendor=x", "Baggage", "user=alice"))
	a.expect(http.StatusOK)
	line := e.request(1)
	e.stop()
	r.flush()

	server, calls := r.of(traces.Span_SPAN_KIND_SERVER), r.of(traces.Span_SPAN_KIND_CLIENT)
	if len(server) != 1 || len(calls) != 1 {
		t.Fatalf("%d spans of requests and %d of calls", len(server), len(calls))
	}
	if got := hexOf(server[0].GetTraceId()); got != traceID || hexOf(server[0].GetParentSpanId()) != "00f067aa0ba902b7" {
		t.Errorf("trace %s below %s", got, hexOf(server[0].GetParentSpanId()))
	}
	if server[0].GetName() != "chat deepseek-v4-pro" || string(calls[0].GetParentSpanId()) != string(server[0].GetSpanId()) {
		t.Errorf("spans %s and %s", server[0].GetName(), calls[0].GetName())
	}
	wantValues(t, values(server[0].GetAttributes()), map[string]any{
		"gen_ai.operation.name": "chat", "gen_ai.request.model": "deepseek-v4-pro", "gen_ai.response.model": "deepseek-v4-pro",
		"gen_ai.provider.name": "DeepSeek", "gen_ai.usage.input_tokens": "*", "gen_ai.usage.output_tokens": "*",
		"gen_ai.response.time_to_first_chunk": "*", "gen_ai.request.stream": true,
		"http.request.method": "POST", "http.route": "/v1/chat/completions", "http.response.status_code": int64(200),
		"vipcloud.key": "shop/shop", "vipcloud.target": "vipcloud-system/deepseek-v4-pro/t0", "vipcloud.outcome": "ok",
		"vipcloud.request_id": line["requestID"], "vipcloud.attempts": int64(1),
	})
	wantValues(t, values(calls[0].GetAttributes()), map[string]any{
		"gen_ai.operation.name": "chat", "gen_ai.request.model": "deepseek-v4-pro", "gen_ai.provider.name": "DeepSeek",
		"server.address": "127.0.0.1", "vipcloud.target": "vipcloud-system/deepseek-v4-pro/t0",
	})
	if line["traceID"] != traceID {
		t.Errorf("the log says trace %v", line["traceID"])
	}

	header := e.ledger(sim.DeepSeek)[0].Header
	if got, want := header.Get("Traceparent"), "00-"+traceID+"-"+hexOf(calls[0].GetSpanId())+"-01"; got != want {
		t.Errorf("the vendor got traceparent %q, want %q", got, want)
	}
	if header.Get("Tracestate") != "vendor=x" || header.Get("Baggage") != "" {
		t.Errorf("the vendor got tracestate %q and baggage %q", header.Get("Tracestate"), header.Get("Baggage"))
	}

	if len(r.records) != 1 {
		t.Fatalf("%d records of one request", len(r.records))
	}
	if hexOf(r.records[0].GetTraceId()) != traceID || r.records[0].GetBody().GetStringValue() != "Request" {
		t.Errorf("record %v", r.records[0])
	}
	wantValues(t, values(r.records[0].GetAttributes()), map[string]any{
		"requestID": line["requestID"], "outcome": "ok", "status": int64(200), "durationMs": "*", "key": "shop/shop", "keyPrefix": testKey[:8],
		"model": "deepseek-v4-pro", "target": "vipcloud-system/deepseek-v4-pro/t0", "promptTokens": "*", "completionTokens": "*", "firstByteMs": "*",
	})
	for _, secret := range []string{prompt, testKey, e.vendors.Vendor(sim.DeepSeek).Key(), "alice"} {
		if strings.Contains(r.raw.String(), secret) {
			t.Errorf("%q was exported", secret)
		}
	}
	if r.header.Get("X-Token") != "topsecret" {
		t.Error("the receiver did not get the headers of the environment")
	}
}

func TestTracing_showsEachAttemptAndWhatWentWrong(t *testing.T) {
	r := newReceiver(t, 1)
	e := newEnv(t, r.trace)
	e.route("m", "", "deepseek", "openai").Spec.Targets[0].Model = "deepseek-v4-pro"
	e.key(shop, "shop", testKey, nil)
	e.apply()
	e.vendors.Vendor(sim.DeepSeek).FailNext(1, sim.ServerError)
	e.say("hello").expect(http.StatusOK)
	e.post("/v1/chat/completions", map[string]any{"model": "unknown", "messages": []any{}}, "Authorization", "Bearer wrong").expect(http.StatusUnauthorized)
	e.request(2)
	e.stop()
	r.flush()
	calls := r.of(traces.Span_SPAN_KIND_CLIENT)
	if len(calls) != 2 {
		t.Fatalf("%d spans of calls", len(calls))
	}
	wantValues(t, values(calls[0].GetAttributes()), map[string]any{"error.type": "server_error", "vipcloud.target": "vipcloud-system/m/t0"})
	if calls[0].GetStatus().GetCode() != traces.Status_STATUS_CODE_ERROR || calls[1].GetStatus().GetCode() == traces.Status_STATUS_CODE_ERROR {
		t.Errorf("statuses %v and %v", calls[0].GetStatus(), calls[1].GetStatus())
	}
	requests := r.of(traces.Span_SPAN_KIND_SERVER)
	if len(requests) != 2 {
		t.Fatalf("%d spans of requests", len(requests))
	}
	wantValues(t, values(requests[0].GetAttributes()), map[string]any{"vipcloud.attempts": int64(2)})
	wantValues(t, values(requests[1].GetAttributes()), map[string]any{"http.response.status_code": int64(401), "error.type": "*"})
	if requests[1].GetStatus().GetCode() == traces.Status_STATUS_CODE_ERROR {
		t.Error("a client's fault is an error of the server's span")
	}
}

func TestTracing_samplesAsTheCallerDoes(t *testing.T) {
	for name, tc := range map[string]struct {
		ratio  float64
		parent string
		want   int
	}{
		"sampled by the caller":     {ratio: 0, parent: traceparent, want: 1},
		"not sampled by the caller": {ratio: 1, parent: notSampled, want: 0},
		"nobody decided, all":       {ratio: 1, want: 1},
		"nobody decided, none":      {ratio: 0, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, tc.ratio)
			e := simple(t, r.trace)
			e.take(e.do("POST", "/v1/chat/completions", chat("deepseek-v4-pro", "hello"), "Traceparent", tc.parent)).expect(http.StatusOK)
			e.request(1)
			e.stop()
			r.flush()
			if n := len(r.of(traces.Span_SPAN_KIND_SERVER)); n != tc.want {
				t.Errorf("%d spans", n)
			}
			if len(r.records) != 1 {
				t.Errorf("%d records: they do not depend on samples", len(r.records))
			}
			sampled := strings.HasSuffix(e.ledger(sim.DeepSeek)[0].Header.Get("Traceparent"), "-01")
			if sampled != (tc.want == 1) {
				t.Error("the vendor was told otherwise")
			}
		})
	}
}

func TestTracing_offPassesNothingOn(t *testing.T) {
	e := simple(t)
	e.take(e.do("POST", "/v1/chat/completions", chat("deepseek-v4-pro", "hello"), "Traceparent", traceparent)).expect(http.StatusOK)
	if got := e.ledger(sim.DeepSeek)[0].Header.Get("Traceparent"); got != "" {
		t.Errorf("the vendor got traceparent %q", got)
	}
}

func TestTracing_aReceiverThatIsAwayIsNobodysConcern(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	export, err := tracing.NewExport(t.Context(), tracing.ExportOptions{Endpoint: gone.URL, SampleRatio: 1, UsageLog: true})
	if err != nil {
		t.Fatal(err)
	}
	e := simple(t, func(o *gateway.Options) { o.Tracer = export.Tracer() })
	e.take(e.do("POST", "/v1/chat/completions", chat("deepseek-v4-pro", "hello"))).expect(http.StatusOK)
	_ = export.Shutdown(context.Background())
}

// hexOf writes an id.
func hexOf(id []byte) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for _, c := range id {
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}
