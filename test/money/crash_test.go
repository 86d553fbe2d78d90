package money_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/test/sim"
)

// gate stands before a vendor. While it is closed, requests wait at it until their client leaves, and the vendor never hears of them.
type gate struct {
	vendor  http.Handler
	closed  atomic.Bool
	waiting atomic.Int64
}

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.closed.Load() {
		g.waiting.Add(1)
		defer g.waiting.Add(-1)
		_, _ = io.Copy(io.Discard, r.Body) // so that the server notices when the client leaves
		<-r.Context().Done()
		return
	}
	g.vendor.ServeHTTP(w, r)
}

// process is a gateway.
type process struct {
	w      *world
	base   string
	log    string
	cmd    *exec.Cmd
	exited chan struct{}
}

// start runs a gateway as a container of a pod does, and returns once it serves.
func (w *world) start(binary, kubeconfig, state string) *process {
	w.t.Helper()
	p := &process{w: w, log: filepath.Join(w.t.TempDir(), "gateway.log"), exited: make(chan struct{})}
	file, err := os.Create(p.log)
	if err != nil {
		w.t.Fatal(err)
	}
	p.cmd = exec.Command(binary, "gateway", "--instance="+system+"/default", "--kubeconfig="+kubeconfig, "--state="+state,
		"--pod-name=gateway-0", "--pod-uid=5f0b1ee1-1111-2222-3333-444455556666", "--listen=127.0.0.1:0", "--admin-listen=",
		"--drain-delay=0s", "--drain-timeout=30s")
	p.cmd.Stdout, p.cmd.Stderr = file, file
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it must not outlive a test that panics
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // a killed process is an error of its own
		_ = file.Close()
	}()
	w.t.Cleanup(func() {
		p.kill()
		if w.t.Failed() {
			text, _ := os.ReadFile(p.log)
			w.t.Logf("log ends: …%s", text[max(0, len(text)-3000):])
		}
	})
	w.eventually("the gateway is ready", func() bool {
		select {
		case <-p.exited:
			text, _ := os.ReadFile(p.log)
			w.t.Fatalf("the gateway has ended: %s", text)
		default:
		}
		for line := range strings.SplitSeq(p.text(), "\n") {
			var l struct{ Msg, Listen string }
			if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "Starting gateway" {
				p.base = "http://" + l.Listen
			}
		}
		return p.base != "" && strings.Contains(p.text(), "Gateway is ready") && p.status() == http.StatusOK
	})
	return p
}

// text is what the gateway has said.
func (p *process) text() string {
	data, _ := os.ReadFile(p.log)
	return string(data)
}

// kill ends the process at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.exited
}

// stop tells the process to end, and waits until it has.
func (p *process) stop() {
	p.w.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.w.t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.w.t.Fatal("a gateway that was told to end runs on")
	}
}

// status asks for the model, which touches no vendor.
func (p *process) status() int {
	req, err := http.NewRequest(http.MethodGet, p.base+"/v1/models/"+model, nil)
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+plaintext(0))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// load sends chat requests from many clients until the gateway is gone, and returns how many were answered whole, and how many not.
func (p *process) load(clients, keys int, answered *atomic.Int64) (stop func() (broken int64)) {
	var wg sync.WaitGroup
	var broken atomic.Int64
	for c := range clients {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
			defer client.CloseIdleConnections()
			for i := 0; ; i++ {
				whole, gone := p.chat(client, plaintext(rand.N(keys)), fmt.Sprintf("client %d asks %d", c, i), i%2 == 0)
				if gone {
					broken.Add(1)
					return
				}
				if whole {
					answered.Add(1)
				}
			}
		})
	}
	return func() int64 { wg.Wait(); return broken.Load() }
}

// chat sends a request. Gone: the gateway is.
func (p *process) chat(client *http.Client, key, prompt string, stream bool) (whole, gone bool) {
	body := fmt.Sprintf(`{"model":%q,"stream":%v,"messages":[{"role":"user","content":%q}]}`, model, stream, prompt)
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, p.base+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return false, true
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := client.Do(req)
	if err != nil {
		return false, true
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, true
	}
	if resp.StatusCode != http.StatusOK {
		p.w.t.Errorf("status %d: %.300s", resp.StatusCode, data)
	}
	return true, false
}

// figures are what was counted, or billed.
type figures struct{ requests, prompt, completion int64 }

// counted is what all reports come to.
func (w *world) counted(keys int) (f figures) {
	w.t.Helper()
	v := w.view()
	for n := range keys {
		for _, row := range v.History(fmt.Sprintf("%s/key-%d", shop, n), time.Now().AddDate(0, 0, -2)).Rows {
			if row.Estimated != 0 {
				w.t.Errorf("usage was estimated: %+v", row)
			}
			f.requests += row.Requests
			f.prompt += row.Usage.PromptTokens
			f.completion += row.Usage.CompletionTokens
		}
	}
	return f
}

// billed is what the vendor bills.
func billed(s *sim.Simulator) figures {
	t := s.Totals()
	return figures{int64(t.Requests), int64(t.PromptTokens), int64(t.CompletionTokens)}
}

// TestCrash_totalsEqualTheVendors kills a gateway under load, again and again, and starts it in the same place, as a kubelet does with a
// container. What it had settled and not yet reported is reported by its successor: the totals are the vendor's, to the last token.
func TestCrash_totalsEqualTheVendors(t *testing.T) {
	const clients, keys = 8, 20
	w := newWorld(t)
	vendors := sim.NewServer(sim.Options{})
	vendor := vendors.Vendor(sim.DeepSeek)
	g := &gate{vendor: vendors}
	w.declare(w.serve(g)+vendors.Prefix(sim.DeepSeek), vendor.Key())
	for n := range keys {
		w.create(hashKey(fmt.Sprintf("key-%d", n), plaintext(n)))
	}
	binary, kubeconfig, state := build(t), w.kubeconfig(), t.TempDir()
	var answered atomic.Int64
	unreported := int64(0)
	for round := range 4 {
		p := w.start(binary, kubeconfig, state)
		stop := p.load(clients, keys, &answered)
		enough := billed(vendor).requests + 400
		w.eventually("the load is under way", func() bool { return billed(vendor).requests > enough })
		// Each client's request waits at the gate in the end, so all that the vendor has served is settled: a connection's next request
		// is read after that.
		g.closed.Store(true)
		w.eventually("all clients wait", func() bool { return g.waiting.Load() == clients })
		p.kill()
		stop()
		g.closed.Store(false)
		missing := billed(vendor).requests - w.counted(keys).requests
		unreported += missing
		t.Logf("round %d: killed after %d requests, %d of them in no report", round, billed(vendor).requests, missing)
	}
	if unreported == 0 {
		t.Fatal("everything was reported before each kill: nothing was tested")
	}
	p := w.start(binary, kubeconfig, state)
	want := billed(vendor)
	w.eventually("all is reported", func() bool { return w.counted(keys).requests >= want.requests })
	if got := w.counted(keys); got != want || answered.Load() != want.requests {
		t.Errorf("counted %+v, billed %+v, answered %d", got, want, answered.Load())
	}
	spent := w.view().Spent(shop+"/key-0", "", ledger.Lifetime, time.Now())
	if spent == 0 {
		t.Error("nothing was spent with the first key")
	}

	// Without a gate the vendor has served some requests that were not settled when the gateway was killed: no more than were under way.
	stop := p.load(clients, keys, &answered)
	w.eventually("the load is under way", func() bool { return billed(vendor).requests > want.requests+300 })
	p.kill()
	broken := stop()
	p = w.start(binary, kubeconfig, state)
	if err := vendor.WaitIdle(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.stop()
	got, want := w.counted(keys), billed(vendor)
	if lost := want.requests - got.requests; lost < 0 || lost > clients || got.prompt > want.prompt || got.completion > want.completion {
		t.Errorf("counted %+v, billed %+v; %d requests were under way", got, want, clients)
	}
	t.Logf("killed with %d requests under way: counted %+v, billed %+v", broken, got, want)
}
