package dashscope

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// step is how long a task is queued, and runs, by the bench's clock.
const step = time.Minute

// bench is a simulator behind a real listener, with a clock that only the test moves.
type bench struct {
	t      *testing.T
	sim    *Simulator
	url    string
	passed atomic.Int64
}

func start(t *testing.T) *bench {
	t.Helper()
	return startWith(t, studio.Options{Step: step})
}

func startWith(t *testing.T, opts studio.Options) *bench {
	t.Helper()
	b := &bench{t: t}
	opts.StallFor, opts.KeepBodies = time.Millisecond, true
	opts.Now = func() time.Time { return time.Unix(1_800_000_000+b.passed.Load(), 0) }
	b.sim = New(opts)
	server := httptest.NewServer(b.sim)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// pass lets time go by; whole seconds.
func (b *bench) pass(d time.Duration) { b.passed.Add(int64(d / time.Second)) }

// reply is what a test looks at.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of the connection
}

func (r reply) get(path string) gjson.Result { return gjson.Get(r.body, path) }

// send makes a request; headers replace the usual ones, or remove them if empty.
func (b *bench) send(method, path, body string, headers ...string) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+b.sim.Key())
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Del(headers[i])
		if headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true}, // on a used connection it would repeat a GET by itself
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return reply{status: res.StatusCode, header: res.Header, body: string(data), err: err}
}

// async is the header of calls that make tasks.
const async = "X-DashScope-Async"

func (b *bench) images(body string) reply {
	b.t.Helper()
	return b.send(http.MethodPost, SyncImagesPath, body)
}

// submit makes a task.
func (b *bench) submit(path, body string) reply {
	b.t.Helper()
	return b.send(http.MethodPost, path, body, async, "enable")
}

// task submits and returns the id.
func (b *bench) task(path, body string) string {
	b.t.Helper()
	got := b.submit(path, body)
	id := got.get("output.task_id").Str
	if got.status != http.StatusOK || got.get("output.task_status").Str != "PENDING" || id == "" || got.get("request_id").Str == "" {
		b.t.Fatalf("submitting %s: %d %s %v", body, got.status, got.body, got.err)
	}
	return id
}

func (b *bench) poll(id string) reply {
	b.t.Helper()
	return b.send(http.MethodGet, TasksPath+id, "", "Content-Type", "")
}

// fetch downloads a result, as a client without credentials.
func (b *bench) fetch(address string) reply {
	b.t.Helper()
	path, ok := strings.CutPrefix(address, b.url)
	if !ok {
		b.t.Fatalf("the address %q is not the simulator's", address)
	}
	return b.send(http.MethodGet, path, "", "Authorization", "")
}

// charged is what the vendor bills, as "kind model units".
func (b *bench) charged() []string {
	var charges []string
	for _, c := range b.sim.Charges() {
		charges = append(charges, fmt.Sprint(c.Kind, " ", c.Model, " ", c.Units))
	}
	return charges
}

// picture is a data URI.
func picture(kind string, width, height int) string {
	data := studio.PNG(width, height)
	if kind == "jpeg" {
		data = studio.JPEG(width, height)
	}
	return "data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)
}

// expectRefusal compares an error with what DashScope would say; its message names the parameter.
func expectRefusal(t *testing.T, got reply, status int, code, param string) {
	t.Helper()
	members := 0
	for range got.get("@this").Map() {
		members++
	}
	if got.status != status || got.get("code").Str != code || members != 3 || got.get("request_id").Str == "" {
		t.Errorf("got %d %s, want %d, code %s", got.status, got.body, status, code)
	}
	if message := got.get("message").Str; message == "" || !strings.HasPrefix(message, param) {
		t.Errorf("the message %q does not begin with %q", message, param)
	}
}
