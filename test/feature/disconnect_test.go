package feature_test

import (
	"bufio"
	"context"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/test/sim"
)

// ending is when a client leaves, and what its vendor does.
type ending struct {
	name, prompt string
	whole        bool
	// until says that an event is the last one that the client reads; nil: it leaves before there is an answer.
	until func(event string) bool
	// estimated says that the vendor cannot have told its count, unless it does so in every chunk.
	estimated bool
}

// endings are all of them. What a simulator bills is said at sim.Entry: the prompt of what was accepted and the answer as far as it went out.
func endings() []ending {
	first := func(string) bool { return true }
	last := func(event string) bool {
		return strings.Contains(event, `"finish_reason":"`)
	}
	return []ending{
		{name: "before the headers", prompt: "[[fail stall_first]]", estimated: true},
		{name: "before the headers of a whole answer", prompt: "[[fail stall_first]]", whole: true, estimated: true},
		{name: "mid-stream, and the vendor has stopped", prompt: "[[chunks 9]] [[fail stall_mid 5]]", until: first, estimated: true},
		{name: "mid-stream, and the end is near", prompt: "[[chunks 4]] [[cached 2]]", until: first},
		{name: "at the last chunk", prompt: "[[chunks 3]] [[cached 2]]", until: last},
		{name: "not at all, and the vendor breaks off", prompt: "[[chunks 9]] [[fail cut 5]]", until: func(string) bool { return false }, estimated: true},
	}
}

// countsInEachChunk are the vendors that do.
func countsInEachChunk(v sim.Vendor) bool { return v == sim.SiliconFlow }

// TestDisconnect_costsWhatTheVendorBills lets clients leave at every point of every vendor's answer.
func TestDisconnect_costsWhatTheVendorBills(t *testing.T) {
	for name, estimated := range map[string]bool{"what is counted": false, "what must be estimated": true} {
		t.Run(name, func(t *testing.T) {
			e := vendorsOf(newEnvWith(t, sim.Options{ChunkDelay: 4 * time.Millisecond}, func(o *gateway.Options) {
				o.TailAnswer, o.TailUsage = time.Second, time.Second
				if !estimated { // a busy machine must not make an estimate of a count that comes
					o.TailAnswer, o.TailUsage = patience, patience
				}
			}))
			total := new(big.Rat)
			for _, v := range sim.Vendors() {
				for _, end := range endings() {
					if end.estimated == estimated {
						total.Add(total, e.leave(t, v, &end))
					}
				}
			}
			var key struct{ Spend map[string]string }
			if e.get("/v1/key").expect(http.StatusOK).decode(&key); total.Cmp(rat(t, key.Spend["lifetime"])) != 0 {
				t.Errorf("the key has spent %s, the vendors bill %s", key.Spend["lifetime"], total.FloatString(9))
			}
			if metrics := e.metrics(); strings.Contains(metrics, `vipcloud_usage_unaccounted_total{reason="unanswered"}`) != estimated {
				t.Error("vipcloud_usage_unaccounted_total does not say what could not be known")
			}
		})
	}
}

// rat reads a decimal.
func rat(t *testing.T, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no decimal", text)
	}
	return r
}

// leave sends a request, leaves, and compares what it is charged with the vendor's ledger. It returns what the vendor bills.
func (e *env) leave(t *testing.T, v sim.Vendor, end *ending) *big.Rat {
	t.Helper()
	vendor, id := e.vendors.Vendor(v), string(v)+"."+strings.NewReplacer(" ", "-", ",", "").Replace(end.name)
	before := vendor.Totals()
	e.readUntil(t, vendor, id, end)
	var line map[string]any
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	if err := vendor.WaitIdle(ctx); err != nil {
		t.Fatalf("%s: the vendor goes on working for nobody", id)
	}
	eventually(t, id+" is settled", func() bool {
		for _, l := range e.log.requests() {
			if l["requestID"] == id {
				line = l
			}
		}
		return line != nil
	})
	after := vendor.Totals()
	prompt, completion := after.PromptTokens-before.PromptTokens, after.CompletionTokens-before.CompletionTokens
	cost := big.NewRat(int64(prompt+completion), 1_000_000) // both cost 1 per million
	charged, _ := line["cost"].(string)
	if prompt == 0 || after.Requests-before.Requests != 1 {
		t.Errorf("%s: the vendor billed %d requests, %d prompt tokens", end.name, after.Requests-before.Requests, prompt)
	}
	if line["promptTokens"] != float64(prompt) || line["completionTokens"] != float64(completion) || charged == "" || cost.Cmp(rat(t, charged)) != 0 {
		t.Errorf("%s: %s: charged %v prompt and %v completion tokens, %s; the vendor bills %d and %d", v, end.name, line["promptTokens"], line["completionTokens"], charged,
			prompt, completion)
	}
	want := end.estimated && (end.until == nil || !countsInEachChunk(v))
	if estimated := line["usageEstimated"] == true; estimated != want {
		t.Errorf("%s: %s: estimated is %v, want %v", v, end.name, estimated, want)
	}
	return cost
}

// readUntil sends a request and reads what the client reads of its answer.
func (e *env) readUntil(t *testing.T, vendor *sim.Simulator, id string, end *ending) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	extra := []string{`"stream":true`}
	if end.whole {
		extra = nil
	}
	body := chat(strings.ToLower(string(vendor.Vendor())), "Tell me more, 你好. "+end.prompt, extra...)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	req.Header.Set("X-Request-Id", id)
	if end.until == nil {
		accepted := vendor.Accepted()
		go func() {
			defer cancel()
			for vendor.Accepted() == accepted && ctx.Err() == nil {
				<-time.After(time.Millisecond)
			}
		}()
	}
	resp, err := client.Do(req)
	switch {
	case end.until == nil && err == nil && resp.StatusCode == http.StatusOK && !end.whole:
		t.Errorf("%s: got an answer", id)
	case end.until == nil:
	case err != nil:
		t.Fatal(err)
	}
	if err != nil {
		return
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if event, ok := strings.CutPrefix(lines.Text(), "data: "); ok && end.until != nil && end.until(event) {
			return
		}
	}
}
