package sdk_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"
)

func TestChat_textsAreTheSameWholeAndStreamed(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	for _, tc := range load[[]struct{ Name, Prefix, Text string }](t, "texts") {
		t.Run(tc.Name, func(t *testing.T) {
			body := ask(general, tc.Prefix+"[[echo "+tc.Text+"]]")
			whole, err := client.Chat.Completions.New(t.Context(), body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.Text, whole.Choices[0].Message.Content); diff != "" {
				t.Errorf("whole (-want +got):\n%s", diff)
			}
			chunks, err := collect(client.Chat.Completions.NewStreaming(t.Context(), body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.Text, textOf(chunks)); diff != "" {
				t.Errorf("streamed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChat_answerHasEveryMember(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	for _, model := range []string{general, deepseek} {
		t.Run(model, func(t *testing.T) {
			var response *http.Response
			got, err := client.Chat.Completions.New(t.Context(), ask(model, "Hello!"), option.WithResponseInto(&response))
			if err != nil {
				t.Fatal(err)
			}
			c := got.Choices[0]
			if got.Model != model || len(got.Choices) != 1 || c.Message.Content != canned || c.FinishReason != "stop" || c.Message.Role != "assistant" {
				t.Errorf("answer is %s", got.RawJSON())
			}
			if u := got.Usage; u.PromptTokens != 2 || u.TotalTokens != u.PromptTokens+u.CompletionTokens {
				t.Errorf("usage is %s", u.RawJSON())
			}
			if id := response.Header.Get("X-Request-Id"); !strings.HasPrefix(id, "req_") {
				t.Errorf("request id is %q", id)
			}
			if reasoning := c.Message.JSON.ExtraFields["reasoning_content"].Raw(); model == deepseek && reasoning != `"Let me think 思考."` {
				t.Errorf("reasoning_content is %s", reasoning)
			}
		})
	}
}

func TestChat_streamTellsUsageOnceAndOnlyWhenAsked(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	for _, model := range []string{general, deepseek} {
		for name, tc := range map[string]struct {
			options   openai.ChatCompletionStreamOptionsParam
			wantUsage int
		}{
			"asked":     {openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}, 1},
			"declined":  {openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(false)}, 0},
			"not asked": {openai.ChatCompletionStreamOptionsParam{}, 0},
		} {
			t.Run(model+", "+name, func(t *testing.T) {
				whole, err := client.Chat.Completions.New(t.Context(), ask(model, "Hello!"))
				if err != nil {
					t.Fatal(err)
				}
				body := ask(model, "Hello!")
				body.StreamOptions = tc.options
				chunks, err := collect(client.Chat.Completions.NewStreaming(t.Context(), body))
				if err != nil {
					t.Fatal(err)
				}
				checkStream(t, model, chunks, tc.wantUsage)
				if tc.wantUsage > 0 {
					if diff := cmp.Diff(whole.Usage.RawJSON(), chunks[len(chunks)-1].Usage.RawJSON()); diff != "" {
						t.Errorf("usage of the stream differs from that of the whole answer (-whole +stream):\n%s", diff)
					}
				}
			})
		}
	}
}

// checkStream checks the shape of a whole stream of the canned answer.
func checkStream(t *testing.T, model string, chunks []openai.ChatCompletionChunk, wantUsage int) {
	t.Helper()
	if got := textOf(chunks); got != canned {
		t.Errorf("text is %q", got)
	}
	usage := 0
	var finish []string
	for i, c := range chunks {
		if c.ID != chunks[0].ID || c.Created != chunks[0].Created || c.Model != model || c.JSON.ExtraFields["error"].Raw() != "" {
			t.Errorf("chunk %d is %s", i, c.RawJSON())
		}
		if len(c.Choices) == 0 {
			usage++
			if !c.JSON.Usage.Valid() || i != len(chunks)-1 {
				t.Errorf("chunk %d of %d has neither choices nor a place at the end with usage: %s", i, len(chunks), c.RawJSON())
			}
			continue
		}
		if c.JSON.Usage.Valid() {
			t.Errorf("chunk %d has choices and usage: %s", i, c.RawJSON())
		}
		finish = append(finish, c.Choices[0].FinishReason)
	}
	if usage != wantUsage {
		t.Errorf("%d usage chunks, want %d", usage, wantUsage)
	}
	if chunks[0].Choices[0].Delta.Role != "assistant" {
		t.Errorf("first chunk has no role: %s", chunks[0].RawJSON())
	}
	if last := len(finish) - 1; finish[last] != "stop" || slices.ContainsFunc(finish[:last], func(s string) bool { return s != "" }) {
		t.Errorf("finish reasons are %q", finish)
	}
}

func TestChat_jsonMode(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	for _, model := range []string{general, deepseek} {
		t.Run(model, func(t *testing.T) {
			body := ask(model, `Answer in JSON. [[echo 杭州 "West Lake"]]`)
			body.ResponseFormat.OfJSONObject = &shared.ResponseFormatJSONObjectParam{}
			got, err := client.Chat.Completions.New(t.Context(), body)
			if err != nil {
				t.Fatal(err)
			}
			var answer struct{ Answer string }
			if err := json.Unmarshal([]byte(got.Choices[0].Message.Content), &answer); err != nil || answer.Answer != `杭州 "West Lake"` {
				t.Errorf("content is %s (%v)", got.Choices[0].Message.Content, err)
			}
		})
	}
}

func TestChat_aliasesGrantsAndLimits(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	long := strings.Repeat("word ", 200)
	for name, tc := range map[string]struct {
		model, prompt         string
		limit                 int64
		wantModel, wantFinish string
	}{
		"an alias answers with the public name": {model: "conformance-alias", prompt: "Hello!", wantModel: general, wantFinish: "stop"},
		"a preview model with the grant":        {model: "conformance/granted", prompt: "Hello!", wantModel: "conformance/granted", wantFinish: "stop"},
		"a limit of tokens at its newer name":   {model: general, prompt: "[[echo " + long + "]]", limit: 40, wantModel: general, wantFinish: "length"},
		"a limit that a vendor calls otherwise": {model: deepseek, prompt: "[[echo " + long + "]]", limit: 40, wantModel: deepseek, wantFinish: "length"},
	} {
		t.Run(name, func(t *testing.T) {
			body := ask(tc.model, tc.prompt)
			if tc.limit > 0 {
				body.MaxCompletionTokens = openai.Int(tc.limit)
			}
			got, err := client.Chat.Completions.New(t.Context(), body)
			if err != nil {
				t.Fatal(err)
			}
			if got.Model != tc.wantModel || got.Choices[0].FinishReason != tc.wantFinish {
				t.Errorf("answer is %s", got.RawJSON())
			}
			if tc.limit > 0 && got.Usage.CompletionTokens > tc.limit {
				t.Errorf("%d tokens, limit %d", got.Usage.CompletionTokens, tc.limit)
			}
		})
	}
}

func TestChat_unknownMembersReachTheUpstream(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	body := ask(deepseek, "Hello!")
	body.SetExtraFields(map[string]any{"thinking": map[string]any{"type": "disabled"}})
	got, err := client.Chat.Completions.New(t.Context(), body)
	if err != nil {
		t.Fatal(err)
	}
	if raw := got.Choices[0].Message.JSON.ExtraFields["reasoning_content"].Raw(); raw != "" {
		t.Errorf("the model thought although thinking was disabled: %s", raw)
	}
}

func TestChat_promptOf2MBArrivesWhole(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	prompt := strings.Repeat("漢字 and 🌏 ", 140_000) + "[[echo long]]"
	if len(prompt) <= 2<<20 {
		t.Fatalf("prompt has only %d bytes", len(prompt))
	}
	whole, err := client.Chat.Completions.New(t.Context(), ask(general, prompt))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := whole.Usage.PromptTokens, int64((len(prompt)+3)/4); got != want || whole.Choices[0].Message.Content != "long" {
		t.Errorf("answer is %s, want %d prompt tokens: the simulated vendor counts four bytes a token", whole.RawJSON(), want)
	}
	chunks, err := collect(client.Chat.Completions.NewStreaming(t.Context(), ask(general, prompt)))
	if err != nil || textOf(chunks) != "long" {
		t.Errorf("stream is %q (%v)", textOf(chunks), err)
	}
}

func TestChat_parallelStreamsDoNotMix(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			want := fmt.Sprintf("stream %d: %send", i, strings.Repeat("七 ", i))
			model := []string{general, deepseek}[i%2]
			chunks, err := collect(client.Chat.Completions.NewStreaming(t.Context(), ask(model, "[[chunks 20]][[fail slow]][[echo "+want+"]]")))
			if err != nil || textOf(chunks) != want {
				t.Errorf("stream %d is %q (%v)", i, textOf(chunks), err)
			}
			for _, c := range chunks {
				if c.ID != chunks[0].ID {
					t.Errorf("stream %d holds chunks of %s and %s", i, c.ID, chunks[0].ID)
				}
			}
		})
	}
	group.Wait()
	w.wantIdle(t)
}

// rawBody is a request as it stands in a case.
func rawBody(body map[string]any) openai.ChatCompletionNewParams {
	return param.Override[openai.ChatCompletionNewParams](body)
}
