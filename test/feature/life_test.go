package feature_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/test/sim"
)

// begin starts a stream and returns once its first event has arrived.
func (e *env) begin(prompt string) (*http.Response, *bufio.Reader) {
	e.t.Helper()
	resp := e.do("POST", "/v1/chat/completions", chat("deepseek-v4-pro", prompt, `"stream":true`))
	r := bufio.NewReader(resp.Body)
	if _, err := r.ReadString('\n'); err != nil {
		e.t.Fatal(err)
	}
	return resp, r
}

func TestLife_drainLetsAStreamFinishAndRefusesNothingBefore(t *testing.T) {
	e := simple(t, func(o *gateway.Options) { o.DrainDelay, o.DrainTimeout = 300*time.Millisecond, patience })
	e.vendors.Vendor(sim.DeepSeek)
	_, r := e.begin("[[chunks 20]] [[fail slow]]")
	stopped := make(chan struct{})
	go func() { defer close(stopped); e.stop() }()
	eventually(t, "readiness goes", func() bool { return e.server.Readiness() != nil })
	// Proxies need a moment to learn of it; requests that still come are served, and told to connect elsewhere next time.
	resp := e.do("GET", "/v1/models", "")
	if resp.StatusCode != http.StatusOK || !resp.Close {
		t.Errorf("while draining: status %d, Connection: close %v", resp.StatusCode, resp.Close)
	}
	rest, err := io.ReadAll(r)
	if err != nil || !strings.HasSuffix(string(rest), "data: [DONE]\n\n") {
		t.Errorf("the running stream ended with %v: …%q", err, rest[max(0, len(rest)-100):])
	}
	<-stopped
	if _, err := net.DialTimeout("tcp", strings.TrimPrefix(e.base, "http://"), time.Second); err == nil {
		t.Error("the listener is still open")
	}
}

func TestLife_afterAStreamOfADrainTheNextRequestIsServed(t *testing.T) {
	e := simple(t, func(o *gateway.Options) { o.DrainDelay, o.DrainTimeout = 300*time.Millisecond, patience })
	// Two streams on two connections of one client: one ends while the other runs on.
	_, short := e.begin("[[chunks 60]] [[fail slow]]")
	_, long := e.begin("[[chunks 400]] [[fail slow]]")
	stopped := make(chan struct{})
	go func() { defer close(stopped); e.stop() }()
	eventually(t, "the listener goes", func() bool {
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(e.base, "http://"), time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	if _, err := io.ReadAll(short); err != nil {
		t.Fatal(err)
	}
	// No new connection can be made, so this comes by that of the stream, whose client could not know.
	resp := e.do("POST", "/v1/chat/completions", chat("deepseek-v4-pro", "Hello!", `"stream":true`))
	text, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK || err != nil || !strings.HasSuffix(string(text), "data: [DONE]\n\n") {
		t.Errorf("the next request: status %d, %v, %q", resp.StatusCode, err, text)
	}
	if !resp.Close {
		t.Error("the client is not told to take another connection next time: it would stay until the drain times out")
	}
	if rest, err := io.ReadAll(long); err != nil || !strings.HasSuffix(string(rest), "data: [DONE]\n\n") {
		t.Errorf("the long stream ended with %v", err)
	}
	<-stopped
}

func TestLife_streamsThatOutliveTheDrainAreToldSo(t *testing.T) {
	e := simple(t, func(o *gateway.Options) { o.DrainTimeout = 200 * time.Millisecond })
	resp, r := e.begin("[[chunks 5]] [[fail stall_mid]]")
	if resp.Close {
		t.Error("a stream is sent with Connection: close, which hides a cut from Node")
	}
	go e.stop()
	rest, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("the connection broke instead: %v", err)
	}
	all := events(t, string(rest))
	if got := gjson.Get(all[len(all)-1], "error.code").Str; got != "draining" {
		t.Errorf("last event: %s", all[len(all)-1])
	}
	e.stop()
}

func TestLife_silentStreamsAreKeptAlive(t *testing.T) {
	e := simple(t, func(o *gateway.Options) { o.KeepAlive = 50 * time.Millisecond })
	_, r := e.begin("[[chunks 5]] [[fail stall_mid]]")
	comments := 0
	for comments < 3 {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, ":") {
			comments++
		}
	}
}

func TestLife_noCommentPrecedesTheFirstByte(t *testing.T) {
	e := newEnv(t, func(o *gateway.Options) { o.KeepAlive = 20 * time.Millisecond })
	e.route("m", "deepseek-v4-pro", "deepseek").Spec.Timeouts = &v1alpha1.Timeouts{Response: "300ms"}
	e.key(shop, "shop", testKey, nil)
	e.apply()
	// Had a comment been sent, the status could no longer be 504.
	wantError(t, e.do("POST", "/v1/chat/completions", chat("m", "[[fail stall_first]]", `"stream":true`)), 504, "upstream_timeout", "upstream_timeout")
}

func TestLife_aPanicIsA500AndIsCounted(t *testing.T) {
	e := simple(t, func(o *gateway.Options) {
		adapter := o.Adapters["DeepSeek"]
		adapter.Chat = panicky{adapter.Chat}
		o.Adapters["DeepSeek"] = adapter
	})
	resp := e.do("POST", "/v1/chat/completions", chat("deepseek-v4-pro", "x"))
	got := wantError(t, resp, 500, "internal_error", "internal_error")
	if !strings.Contains(got.Error.Message, resp.Header.Get("X-Request-Id")) || strings.Contains(got.Error.Message, "panic") {
		t.Errorf("message %q", got.Error.Message)
	}
	if !strings.Contains(e.metrics(), "vipcloud_panics_total 1") {
		t.Error("the panic is not counted")
	}
	if !strings.Contains(e.log.String(), "Recovered from panic") {
		t.Error("the panic is not logged")
	}
	if e.do("GET", "/v1/models", "").StatusCode != http.StatusOK {
		t.Error("the server does not serve on")
	}
}

func TestLife_tableChangesNeverTouchARequestInFlight(t *testing.T) {
	e := simple(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			in := e.input
			if i%2 == 0 {
				in.Routes = nil // the route is gone …
				e.server.Apply(in)
			}
			e.server.Apply(e.input) // … and back, many times within a stream
		}
	})
	var served, unknown atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for range 40 {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.base+"/v1/chat/completions",
					strings.NewReader(chat("deepseek-v4-pro", "[[chunks 10]] [[echo one two three four five]]", `"stream":true`)))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+testKey)
				resp, err := client.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				switch {
				case resp.StatusCode == http.StatusNotFound:
					unknown.Add(1)
				case resp.StatusCode == http.StatusOK && err == nil && strings.HasSuffix(string(body), "data: [DONE]\n\n"):
					served.Add(1)
				default:
					t.Errorf("status %d, %v: %s", resp.StatusCode, err, body)
				}
			}
		})
	}
	clients.Wait()
	close(stop)
	wg.Wait()
	if served.Load() == 0 {
		t.Errorf("none served, %d unknown", unknown.Load())
	}
}

func TestLife_unauthenticatedUploadsAreNeverRead(t *testing.T) {
	if testing.Short() {
		t.Skip("moves up to 500 connections")
	}
	e := simple(t)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const uploads, size = 500, 20 << 20
	var wg sync.WaitGroup
	var refused atomic.Int64
	limit := make(chan struct{}, 50)
	var peak atomic.Uint64
	for range uploads {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			if upload(t, e.base, size) == http.StatusUnauthorized {
				refused.Add(1)
			}
		})
		if len(limit)%10 == 0 {
			runtime.ReadMemStats(&after)
			peak.Store(max(peak.Load(), after.HeapInuse))
		}
	}
	wg.Wait()
	if refused.Load() != uploads {
		t.Errorf("%d of %d uploads were answered 401", refused.Load(), uploads)
	}
	if grown := int64(peak.Load()) - int64(before.HeapInuse); grown > 64<<20 {
		t.Errorf("the heap grew by %d MB", grown>>20)
	}
	if !strings.Contains(e.metrics(), "vipcloud_body_bytes_in_flight 0") {
		t.Error("bodies were taken into memory")
	}
}

// upload sends a large body without a key and returns the status, which comes before the body is through.
func upload(t *testing.T, base string, size int64) int {
	c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Error(err)
		return 0
	}
	defer func() { _ = c.Close() }()
	go func() {
		_, _ = fmt.Fprintf(c, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size)
		_, _ = io.CopyN(c, zeros{}, size) // the gateway closes the connection long before
	}()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Errorf("reading the answer: %v", err)
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// zeros is an endless source.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestLife_clientsThatStallAreCut(t *testing.T) {
	e := simple(t, func(o *gateway.Options) {
		o.ReadHeaderTimeout, o.BodyIdleTimeout = 200*time.Millisecond, 200*time.Millisecond
	})
	for name, sent := range map[string]string{
		"within the headers": "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuth",
		"within the body":    "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + testKey + "\r\nContent-Length: 1000\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", strings.TrimPrefix(e.base, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			if _, err := io.WriteString(c, sent); err != nil {
				t.Fatal(err)
			}
			_ = c.SetReadDeadline(time.Now().Add(patience))
			answer, err := io.ReadAll(c)
			if err != nil {
				t.Fatalf("the connection stays open: %v", err)
			}
			if strings.Contains(sent, "Content-Length") && !strings.Contains(string(answer), "request_timeout") {
				t.Errorf("answer %q", answer)
			}
		})
	}
}

func TestLife_aClientThatReadsNothingCostsBoundedMemoryAndIsCut(t *testing.T) {
	e := newEnv(t, func(o *gateway.Options) { o.WriteTimeout = 500 * time.Millisecond })
	e.route("m", "deepseek-v4-pro", "deepseek")
	e.key(shop, "shop", testKey, nil)
	e.apply()
	c, err := net.Dial("tcp", strings.TrimPrefix(e.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	body := chat("m", "[[echo "+strings.Repeat("x", 20<<20)+"]] [[chunks 20000]]", `"stream":true`)
	_, _ = fmt.Fprintf(c, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", testKey, len(body), body)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	eventually(t, "request at the upstream", func() bool { return e.vendors.Vendor(sim.DeepSeek).InFlight() == 1 || len(e.log.requests()) > 0 })
	if err := e.vendors.Vendor(sim.DeepSeek).WaitIdle(ctx); err != nil {
		t.Fatalf("the upstream waits for a client that does not read: %v", err)
	}
	if line := e.request(1); line["outcome"] != "client_gone" {
		t.Errorf("access log: %v", line)
	}
}
