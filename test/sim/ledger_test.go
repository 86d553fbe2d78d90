package sim

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestLedger_booksWhatWasServed(t *testing.T) {
	b := start(t, DeepSeek, Options{KeepBodies: true})
	body := chat("deepseek-flash", "[[echo Hi]] [[cached 2]]", withUsage)
	b.ask(body)
	got := b.last()
	want := Entry{ID: "945bb10c-9bf3-47ff-a2a2-000000000001", Vendor: DeepSeek, Time: epoch(), Path: "/chat/completions", Model: "deepseek-flash",
		Stream: true, Status: 200, PromptTokens: 6, CompletionTokens: 6, CachedTokens: 2, ReasoningTokens: 5, Chunks: 6,
		BodyBytes: int64(len(body)), Body: []byte(body)}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Entry{}), cmpopts.IgnoreFields(Entry{}, "Header")); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
	if auth := got.Header.Get("Authorization"); !strings.HasPrefix(auth, "sha256:") || len(auth) != 71 {
		t.Errorf("Authorization is kept as %q", auth)
	}
}

func TestLedger_billsABrokenStreamByWhatWentOut(t *testing.T) {
	b := start(t, OpenAI, Options{})
	b.ask(chat("m", "[[echo 12345678123456781234567812345678]] [[chunks 4]] [[fail cut 3]]", streamed))
	// The opening chunk and two of four pieces of eight bytes.
	if e := b.last(); e.Chunks != 3 || e.CompletionTokens != 4 || e.PromptTokens == 0 {
		t.Errorf("entry = %+v", e)
	}
}

func TestLedger_seesTheClientLeave(t *testing.T) {
	b := start(t, OpenAI, Options{ChunkDelay: 20 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	res, err := http.DefaultClient.Do(b.request(ctx, "/v1/chat/completions", chat("m", "[[chunks 1000]]", streamed)))
	if err != nil {
		t.Fatalf("asking: %v", err)
	}
	defer res.Body.Close()
	if _, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil {
		t.Fatalf("reading the first line: %v", err)
	}
	cancel()
	if e := b.last(); !e.ClientGone || e.Chunks > 500 || b.sim.Totals().ClientGone != 1 {
		t.Errorf("entry = %+v", e)
	}
}

func TestLedger_leaksAndForbiddenHeaders(t *testing.T) {
	for name, tc := range map[string]struct {
		header         []string
		wantLeak       bool
		wantViolations []string
	}{
		"a client's key as the credential": {[]string{"Authorization", "Bearer vc-sk-abc"}, true, nil},
		"a client's key elsewhere":         {[]string{"X-Api-Key", "vc-sk-abc"}, true, nil},
		"a cookie":                         {[]string{"Cookie", "a=b"}, false, []string{"Cookie"}},
		"hop-by-hop headers":               {[]string{"Keep-Alive", "timeout=5", "Te", "trailers", "Proxy-Authorization", "Basic x"}, false, []string{"Keep-Alive", "Proxy-Authorization", "Te"}},
		"the client's address":             {[]string{"X-Forwarded-For", "10.0.0.1"}, false, []string{"X-Forwarded-For"}},
		"an ordinary header":               {[]string{"X-Team", "platform"}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, Qwen, Options{})
			got := b.ask(chat("qwen-plus", "hi", ""), tc.header...)
			e := b.last()
			if e.Leak != tc.wantLeak || (got.status == http.StatusInternalServerError) != tc.wantLeak {
				t.Errorf("leak = %v with %d %s", e.Leak, got.status, got.body)
			}
			if diff := cmp.Diff(tc.wantViolations, e.Violations); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
			for _, values := range e.Header {
				if strings.Contains(strings.Join(values, " "), "vc-sk-") {
					t.Error("the ledger keeps the leaked key")
				}
			}
		})
	}
}

func TestLedger_forgetsEntriesButNotTotals(t *testing.T) {
	b := start(t, OpenAI, Options{KeepEntries: 3, Models: []string{"m"}})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { b.ask(chat("m", "[[echo abcd]]", "")) })
	}
	wg.Wait()
	b.ask(chat("n", "x", ""))
	b.last()
	if got := b.sim.Ledger(); len(got) != 3 || got[2].Model != "n" {
		t.Errorf("%d entries, the last of %q", len(got), got[len(got)-1].Model)
	}
	want := Totals{Requests: 21, Refused: 1, PromptTokens: 80, CompletionTokens: 20}
	if diff := cmp.Diff(want, b.sim.Totals()); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
}

func TestSimulator_waitIdleGivesUpWithItsContext(t *testing.T) {
	b := start(t, OpenAI, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { b.send(b.request(ctx, "/v1/chat/completions", chat("m", "[[fail stall_first]]", ""))) })
	for deadline := time.Now().Add(5 * time.Second); b.sim.InFlight() == 0 && time.Now().Before(deadline); {
		<-time.After(time.Millisecond)
	}
	brief, stop := context.WithTimeout(t.Context(), time.Millisecond)
	defer stop()
	if err := b.sim.WaitIdle(brief); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("WaitIdle = %v while a request stalls", err)
	}
	cancel()
	wg.Wait()
	b.last()
}
