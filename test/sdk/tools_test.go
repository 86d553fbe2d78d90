package sdk_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
)

// tools are two functions of one parameter.
func tools() []openai.ChatCompletionToolUnionParam {
	tool := func(name, parameter string) openai.ChatCompletionToolUnionParam {
		return openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
			Name: name, Parameters: openai.FunctionParameters{
				"type": "object", "properties": map[string]any{parameter: map[string]any{"type": "string"}},
			},
		})
	}
	return []openai.ChatCompletionToolUnionParam{tool("get_weather", "city"), tool("get_time", "place")}
}

// called is what a simulated vendor calls.
type called struct{ Name, Arguments string }

// wantCalls are the calls of both functions.
func wantCalls() []called {
	return []called{{"get_weather", `{"city":"杭州 Hangzhou"}`}, {"get_time", `{"place":"杭州 Hangzhou"}`}}
}

// callsOf are the calls of a message.
func callsOf(m openai.ChatCompletionMessage) (got []called) {
	for _, c := range m.ToolCalls {
		got = append(got, called{c.Function.Name, c.Function.Arguments})
	}
	return got
}

func TestTools_callAndAnswerToItsResult(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	for _, model := range []string{general, deepseek} {
		t.Run(model, func(t *testing.T) {
			body := ask(model, "What is the weather? [[tool]]")
			body.Tools = tools()
			first, err := client.Chat.Completions.New(t.Context(), body)
			if err != nil {
				t.Fatal(err)
			}
			choice := first.Choices[0]
			if diff := cmp.Diff(wantCalls()[:1], callsOf(choice.Message)); diff != "" || choice.FinishReason != "tool_calls" {
				t.Fatalf("calls with finish reason %s (-want +got):\n%s", choice.FinishReason, diff)
			}
			assistant := choice.Message.ToParam()
			if raw := choice.Message.JSON.ExtraFields["reasoning_content"].Raw(); raw != "" {
				// The SDK does not carry members over that it does not know; this vendor insists on this one.
				assistant.OfAssistant.SetExtraFields(map[string]any{"reasoning_content": json.RawMessage(raw)})
			}
			body.Messages = append(body.Messages, assistant, openai.ToolMessage("晴 21°C", choice.Message.ToolCalls[0].ID))
			second, err := client.Chat.Completions.New(t.Context(), body)
			if err != nil {
				t.Fatal(err)
			}
			if second.Choices[0].Message.Content != canned {
				t.Errorf("answer is %s", second.RawJSON())
			}
		})
	}
}

func TestTools_parallelCallsThroughTheAccumulator(t *testing.T) {
	w := newWorld(t)
	client := w.client("")
	for _, model := range []string{general, deepseek} {
		t.Run(model, func(t *testing.T) {
			body := ask(model, "Both, please. [[tools2]]")
			body.Tools = tools()
			body.StreamOptions.IncludeUsage = openai.Bool(true)
			stream := client.Chat.Completions.NewStreaming(t.Context(), body)
			acc := openai.ChatCompletionAccumulator{}
			var finished []called
			for stream.Next() {
				if !acc.AddChunk(stream.Current()) {
					t.Fatalf("the accumulator does not take %s", stream.Current().RawJSON())
				}
				if c, ok := acc.JustFinishedToolCall(); ok {
					finished = append(finished, called{c.Name, c.Arguments})
				}
			}
			if err := stream.Err(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wantCalls(), finished); diff != "" {
				t.Errorf("finished calls (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantCalls(), callsOf(acc.Choices[0].Message)); diff != "" {
				t.Errorf("accumulated calls (-want +got):\n%s", diff)
			}
			if acc.Choices[0].FinishReason != "tool_calls" || acc.Usage.CompletionTokens == 0 || acc.Model != model {
				t.Errorf("accumulated %+v", acc.ChatCompletion)
			}
		})
	}
}
