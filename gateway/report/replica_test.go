package report

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"

	"vipcloud.ai/vipcloud/gateway/source"
)

// server stands in for the API server where only the time of requests matters, not what they do.
type server struct {
	clock *clocktesting.FakeClock

	mu       sync.Mutex
	fail     bool
	requests []request
}

// request is one that was made.
type request struct {
	at     time.Time
	method string
	path   string
	body   map[string]any
}

// ServeHTTP answers any write with an object.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var body map[string]any
	_ = json.Unmarshal(raw, &body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, request{at: s.clock.Now(), method: r.Method, path: r.URL.Path, body: body})
	w.Header().Set("Content-Type", "application/json")
	if s.fail {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}`)
		return
	}
	_, _ = io.WriteString(w, `{"kind":"GatewayReplica","apiVersion":"vipcloud.ai/v1alpha1","metadata":{"name":"r","generation":1}}`)
}

// writes returns the writes of status since the beginning.
func (s *server) writes() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []request
	for _, r := range s.requests {
		if s.fail || strings.HasSuffix(r.path, "/status") {
			all = append(all, r)
		}
	}
	return all
}

// setFail makes the server refuse everything, or not.
func (s *server) setFail(fail bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

// timing is a replica on a clock that stands still.
type timing struct {
	t       *testing.T
	clock   *clocktesting.FakeClock
	server  *server
	replica *Replica
	stop    context.CancelFunc
	done    chan error
}

// newTiming makes a replica and runs it.
func newTiming(t *testing.T, fail bool) *timing {
	t.Helper()
	c := clocktesting.NewFakeClock(time.Unix(1_800_000_000, 0))
	s := &server{clock: c, fail: fail}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	r, err := NewReplica(ReplicaOptions{
		Config: &rest.Config{Host: web.URL}, Instance: types.NamespacedName{Namespace: "n", Name: "i"}, Name: "r",
		PodName: "r", PodUID: "u", Clock: c, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &timing{t: t, clock: c, server: s, replica: r, stop: cancel, done: make(chan error, 1)}
	go func() { w.done <- r.Run(ctx) }()
	t.Cleanup(w.end)
	w.idle(1)
	return w
}

// end ends the replica.
func (w *timing) end() {
	w.stop()
	select {
	case err := <-w.done:
		w.done <- err
		if err != nil {
			w.t.Errorf("Run: %v", err)
		}
	case <-time.After(10 * time.Second):
		w.t.Error("Run did not end")
	}
}

// idle waits until so many writes were made and the replica waits for the clock.
func (w *timing) idle(writes int) {
	w.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for len(w.server.writes()) < writes || !w.clock.HasWaiters() {
		if time.Now().After(deadline) {
			w.t.Fatalf("%d writes, want %d", len(w.server.writes()), writes)
		}
		<-tick.C
	}
}

// step moves the clock and waits until it is waited for again.
func (w *timing) step(d time.Duration) {
	w.t.Helper()
	w.clock.Step(d)
	w.idle(0)
}

func TestReplica_timing(t *testing.T) {
	cases := map[string]struct {
		do   func(w *timing)
		want []time.Duration // when status was written, after the start
	}{
		"nothing new: every ten seconds": {
			do: func(w *timing) {
				for i := range 20 {
					w.step(time.Second)
					w.idle(1 + (i+1)/10)
				}
			},
			want: []time.Duration{0, 10 * time.Second, 20 * time.Second},
		},
		"news after a while are written at once": {
			do: func(w *timing) {
				w.step(1500 * time.Millisecond)
				w.replica.SetReady(true)
				w.idle(2)
			},
			want: []time.Duration{0, 1500 * time.Millisecond},
		},
		"news within a second wait for its end, all of them together": {
			do: func(w *timing) {
				w.step(300 * time.Millisecond)
				w.replica.Loaded(source.Versions{ModelRoutes: "1"})
				w.step(300 * time.Millisecond)
				w.replica.Loaded(source.Versions{ModelRoutes: "2"})
				w.step(400 * time.Millisecond)
				w.idle(2)
			},
			want: []time.Duration{0, time.Second},
		},
		"news that are none are not written": {
			do: func(w *timing) {
				w.step(2 * time.Second)
				w.replica.SetReady(false)
				w.replica.Loaded(source.Versions{})
				w.step(time.Second)
			},
			want: []time.Duration{0},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTiming(t, false)
			begin := w.clock.Now()
			tc.do(w)
			writes := w.server.writes()
			if len(writes) != len(tc.want) {
				t.Fatalf("%d writes, want %d", len(writes), len(tc.want))
			}
			for i, r := range writes {
				if got := r.at.Sub(begin); got != tc.want[i] {
					t.Errorf("write %d after %v, want %v", i, got, tc.want[i])
				}
			}
		})
	}
}

func TestReplica_lastNewsWin(t *testing.T) {
	w := newTiming(t, false)
	w.replica.Loaded(source.Versions{ModelRoutes: "1", ApiKeys: "1"})
	w.replica.Loaded(source.Versions{ModelRoutes: "7", ApiKeys: "2"})
	w.step(time.Second)
	w.idle(2)
	writes := w.server.writes()
	status, _ := writes[len(writes)-1].body["status"].(map[string]any)
	loaded, _ := status["loaded"].(map[string]any)
	if loaded["modelRoutes"] != "7" || loaded["apiKeys"] != "2" {
		t.Errorf("wrote %v, want what was told last", loaded)
	}
}

func TestReplica_failuresAreTriedAgainEverLessOften(t *testing.T) {
	w := newTiming(t, true)
	select {
	case <-w.replica.FirstWritten():
		t.Fatal("a failed write counts as written")
	default:
	}
	for range 60 {
		w.step(time.Second)
	}
	if n := len(w.server.writes()); n < 5 || n > 12 {
		t.Errorf("%d attempts within a minute, want between 5 and 12", n)
	}
	w.server.setFail(false)
	for range 15 {
		w.step(time.Second)
	}
	w.idle(1)
	select {
	case <-w.replica.FirstWritten():
	case <-time.After(5 * time.Second):
		t.Error("not written within 15 s of the server's return")
	}
}

func TestReplica_endOfOneWithAPod(t *testing.T) {
	w := newTiming(t, false)
	w.replica.SetReady(true)
	w.step(time.Second)
	w.idle(2)
	w.end()
	writes := w.server.writes()
	status, _ := writes[len(writes)-1].body["status"].(map[string]any)
	conditions, _ := status["conditions"].([]any)
	if len(conditions) != 1 || conditions[0].(map[string]any)["status"] != "False" {
		t.Errorf("last write has conditions %v, want Ready=False", conditions)
	}
}

func TestNewReplica_refuses(t *testing.T) {
	good := ReplicaOptions{Config: &rest.Config{Host: "http://x"}, Instance: types.NamespacedName{Namespace: "n", Name: "i"}, Name: "r"}
	cases := map[string]func(*ReplicaOptions){
		"no config":              func(o *ReplicaOptions) { o.Config = nil },
		"no name":                func(o *ReplicaOptions) { o.Name = "" },
		"no instance":            func(o *ReplicaOptions) { o.Instance.Name = "" },
		"no namespace":           func(o *ReplicaOptions) { o.Instance.Namespace = "" },
		"a pod without its UID":  func(o *ReplicaOptions) { o.PodName = "p" },
		"a UID without a pod":    func(o *ReplicaOptions) { o.PodUID = "u" },
		"a host that is no host": func(o *ReplicaOptions) { o.Config = &rest.Config{Host: "http://[::"} },
	}
	if _, err := NewReplica(good); err != nil {
		t.Fatalf("good options: %v", err)
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			o := good
			edit(&o)
			if _, err := NewReplica(o); err == nil {
				t.Error("no error")
			}
		})
	}
}
