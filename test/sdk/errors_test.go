package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"

	"vipcloud.ai/vipcloud/test/sim"
)

// secrets must never reach a client: addresses, credentials and the words of foreign software.
const secrets = `(?i)127\.0\.0\.1|sk-sim|simulat|s3cr3t|nginx|upstream connect|request_id|https?:|\.go:`

// errorCase is a request that fails before its first byte.
type errorCase struct {
	Name, Key, Model, Prompt string
	Body, Extra              map[string]any
	Status                   int
	Type, Code               string
	Param                    *string
	Message                  string
	Retried                  bool
	RetryAfter               int
}

// body is the case's own, or a prompt to a model.
func (c *errorCase) body() map[string]any {
	body := maps.Clone(c.Body)
	if body == nil {
		model := c.Model
		if model == "" {
			model = general
		}
		body = map[string]any{"model": model, "messages": []any{map[string]any{"role": "user", "content": c.Prompt}}}
	}
	maps.Copy(body, c.Extra)
	return body
}

func TestErrors_everyFailureIsTyped(t *testing.T) {
	w := newWorld(t)
	for _, tc := range load[[]errorCase](t, "errors") {
		for _, stream := range []bool{false, true} {
			name := tc.Name
			if stream {
				name += ", streaming"
			}
			t.Run(name, func(t *testing.T) {
				var made calls
				client := w.client(tc.Key, option.WithMaxRetries(1), made.option())
				var err error
				if stream {
					_, err = collect(client.Chat.Completions.NewStreaming(t.Context(), rawBody(tc.body())))
				} else {
					_, err = client.Chat.Completions.New(t.Context(), rawBody(tc.body()))
				}
				checkError(t, &tc, err)
				checkRetries(t, &tc, &made)
			})
		}
	}
	w.wantIdle(t)
}

// checkError compares an SDK's error with a case.
func checkError(t *testing.T, tc *errorCase, err error) {
	t.Helper()
	var e *openai.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %T: %v", err, err)
	}
	if e.StatusCode != tc.Status || e.Type != tc.Type || e.Code != tc.Code {
		t.Errorf("got %d %s, want %d %s %s", e.StatusCode, e.RawJSON(), tc.Status, tc.Type, tc.Code)
	}
	if param := e.JSON.Param.Raw(); tc.Param == nil && param != "null" || tc.Param != nil && param != strconv.Quote(*tc.Param) {
		t.Errorf("param is %s", param)
	}
	if tc.Message != "" && e.Message != tc.Message {
		t.Errorf("message is %q, want %q", e.Message, tc.Message)
	}
	if len(e.Message) <= 10 || regexp.MustCompile(secrets).MatchString(e.RawJSON()) {
		t.Errorf("message says too little or too much: %s", e.RawJSON())
	}
	h := e.Response.Header
	if !strings.HasPrefix(h.Get("X-Request-Id"), "req_") {
		t.Errorf("request id is %q", h.Get("X-Request-Id"))
	}
	wantAfter, wantRetry := "", ""
	if tc.RetryAfter > 0 {
		wantAfter = strconv.Itoa(tc.RetryAfter)
	}
	if tc.Status >= 500 && !tc.Retried {
		wantRetry = "false"
	}
	if h.Get("Retry-After") != wantAfter || h.Get("X-Should-Retry") != wantRetry {
		t.Errorf("Retry-After %q and X-Should-Retry %q, want %q and %q", h.Get("Retry-After"), h.Get("X-Should-Retry"), wantAfter, wantRetry)
	}
}

// checkRetries says whether the SDK repeated what it should, and waited as it was told.
func checkRetries(t *testing.T, tc *errorCase, made *calls) {
	t.Helper()
	want := []string{"0"}
	if tc.Retried {
		want = append(want, "1")
	}
	if diff := cmp.Diff(want, made.retry); diff != "" {
		t.Fatalf("requests by their retry count (-want +got):\n%s", diff)
	}
	if pause := time.Duration(tc.RetryAfter) * time.Second; pause > 0 && made.at[1].Sub(made.at[0]) < pause {
		t.Errorf("repeated after %v, want %v", made.at[1].Sub(made.at[0]), pause)
	}
}

func TestErrors_sdkRecoversFromRateLimit(t *testing.T) {
	for name, stream := range map[string]bool{"whole": false, "streaming": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.vendors.Vendor(sim.OpenAI).FailNext(2, sim.RateLimit)
			var made calls
			client := w.client("", option.WithMaxRetries(2), made.option())
			var text string
			if stream {
				chunks, err := collect(client.Chat.Completions.NewStreaming(t.Context(), ask(general, "[[echo at last]]")))
				if err != nil {
					t.Fatal(err)
				}
				text = textOf(chunks)
			} else {
				got, err := client.Chat.Completions.New(t.Context(), ask(general, "[[echo at last]]"))
				if err != nil {
					t.Fatal(err)
				}
				text = got.Choices[0].Message.Content
			}
			if text != "at last" || !slices.Equal(made.retry, []string{"0", "1", "2"}) {
				t.Errorf("got %q after requests %q", text, made.retry)
			}
			for i := range 2 {
				if gap := made.at[i+1].Sub(made.at[i]); gap < time.Second {
					t.Errorf("repeated after %v", gap)
				}
			}
		})
	}
}

func TestErrors_bodyOf33MiBIsRefusedAndTheSDKLearnsWhy(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	_, err := client.Chat.Completions.New(t.Context(), ask(general, strings.Repeat("x", 33<<20)))
	var e *openai.Error
	if !errors.As(err, &e) || e.StatusCode != http.StatusRequestEntityTooLarge || e.Code != "body_too_large" {
		t.Errorf("got %v", err)
	}
}

func TestErrors_endpointThatIsNotServed(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	_, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{Model: general})
	var e *openai.Error
	if !errors.As(err, &e) || e.StatusCode != http.StatusNotFound || e.Code != "unknown_url" {
		t.Errorf("got %v", err)
	}
}

func TestStreams_breakIsAnErrorAndNeverACleanEnd(t *testing.T) {
	w := newWorld(t)
	for _, tc := range load[[]struct{ Name, Model, Prompt, Begins, Type, Code string }](t, "breaks") {
		t.Run(tc.Name, func(t *testing.T) {
			var made calls
			client := w.client("", option.WithMaxRetries(1), made.option())
			model := tc.Model
			if model == "" {
				model = general
			}
			chunks, err := collect(client.Chat.Completions.NewStreaming(t.Context(), ask(model, tc.Prompt)))
			var e *ssestream.StreamError
			if !errors.As(err, &e) {
				t.Fatalf("error is %T: %v", err, err)
			}
			var told struct {
				Error struct{ Type, Code, Message string }
			}
			if err := json.Unmarshal(e.Event.Data, &told); err != nil || told.Error.Type != tc.Type || told.Error.Code != tc.Code {
				t.Errorf("told %s, want %s %s", e.Event.Data, tc.Type, tc.Code)
			}
			if got := textOf(chunks); !strings.HasPrefix(got, tc.Begins) {
				t.Errorf("what came before the break is lost: %q", got)
			}
			if len(made.at) != 1 || regexp.MustCompile(secrets).Match(e.Event.Data) {
				t.Errorf("%d requests, told %s", len(made.at), e.Event.Data)
			}
			w.wantIdle(t)
		})
	}
}

func TestStreams_leavingEndsTheUpstream(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			stream := client.Chat.Completions.NewStreaming(t.Context(), ask(general, "[[fail stall_mid]]"))
			if !stream.Next() {
				t.Errorf("no first chunk: %v", stream.Err())
			}
			if err := stream.Close(); err != nil {
				t.Errorf("closing: %v", err)
			}
		})
	}
	group.Wait()
	w.wantIdle(t)
	wantLeft(t, w, 50)
}

func TestStreams_cancelBeforeTheFirstByteEndsTheUpstream(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	for name, call := range map[string]func(ctx context.Context) error{
		"whole": func(ctx context.Context) error {
			_, err := client.Chat.Completions.New(ctx, ask(general, "[[fail stall_first]]"))
			return err
		},
		"streaming": func(ctx context.Context) error {
			_, err := collect(client.Chat.Completions.NewStreaming(ctx, ask(general, "[[fail stall_first]]")))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			w.wantIdle(t)
		})
	}
	wantLeft(t, w, 2)
}

// wantLeft checks how many requests the upstream saw end early.
func wantLeft(t *testing.T, w *world, want int) {
	t.Helper()
	totals := w.vendors.Vendor(sim.OpenAI).Totals()
	if totals.ClientGone != want || totals.Requests != want || totals.Leaks > 0 || totals.Violations > 0 {
		t.Errorf("the upstream saw %+v, want %d requests that were left", totals, want)
	}
}
