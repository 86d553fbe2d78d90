package main

import (
	"context"
	"fmt"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// params ask for a stream with its usage.
func params(model, prompt string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:         model,
		Messages:      []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
	}
}

// heard is what a stream brought.
type heard struct {
	chunks             int
	prompt, completion int64
	finish             string
}

// listenTo reads a stream to its end.
func listenTo(ctx context.Context, client openai.Client, p openai.ChatCompletionNewParams, each func(text string), opts ...option.RequestOption) (heard, error) {
	stream := client.Chat.Completions.NewStreaming(ctx, p, opts...)
	defer func() { _ = stream.Close() }()
	var h heard
	for stream.Next() {
		chunk := stream.Current()
		h.chunks++
		h.prompt += chunk.Usage.PromptTokens
		h.completion += chunk.Usage.CompletionTokens
		for _, c := range chunk.Choices {
			if c.FinishReason != "" {
				h.finish = c.FinishReason
			}
			each(c.Delta.Content)
		}
	}
	if err := stream.Err(); err != nil {
		return h, fmt.Errorf("streaming: %w", err)
	}
	return h, nil
}

// chat is an application as its developers write it: the SDK finds address and key in the environment.
func chat(ctx context.Context, model, prompt string) error {
	h, err := listenTo(ctx, openai.NewClient(), params(model, prompt), func(text string) { fmt.Print(text) })
	if err != nil {
		return err
	}
	fmt.Printf("\n%d chunks, %d tokens in, %d out, finish %s\n", h.chunks, h.prompt, h.completion, h.finish)
	return nil
}
