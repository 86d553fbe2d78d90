package tracing

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// off goes the way of a request that is not traced.
func off(ctx context.Context, r *http.Request) {
	var t *Tracer
	r, span := t.Request(r)
	_, call := t.Attempt(ctx, Attempt{Operation: "chat", Model: "m"})
	call.Inject(r.Header)
	call.End("server_error")
	if span.Recording() || span.Context().IsValid() {
		panic("a nil Tracer made a span")
	}
	span.End("")
}

func TestTracer_thatIsOffCostsNothing(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", http.NoBody)
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	if n := testing.AllocsPerRun(100, func() { off(t.Context(), r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkTracer_off(b *testing.B) {
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", http.NoBody)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		off(ctx, r)
	}
}

func TestNewExport_refuses(t *testing.T) {
	for name, o := range map[string]ExportOptions{
		"no endpoint":               {},
		"a host without scheme":     {Endpoint: "collector:4318"},
		"another scheme":            {Endpoint: "grpc://collector:4317"},
		"a password in the URL":     {Endpoint: "https://user:hunter2@collector:4318"},
		"a ratio above one":         {Endpoint: "http://collector:4318", SampleRatio: 1.5},
		"a ratio of less than none": {Endpoint: "http://collector:4318", SampleRatio: -1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewExport(t.Context(), o)
			if err == nil {
				t.Fatal("accepted")
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}
