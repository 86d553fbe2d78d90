package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// smokeTimeout bounds the one call of a smoke run.
const smokeTimeout = 30 * time.Second

// errEmptyAnswer means that the stream ended without a word.
var errEmptyAnswer = errors.New("the stream held no content")

// smoke streams one completion through the gateway with OpenAI's own SDK.
func smoke(ctx context.Context, base, key string) error {
	ctx, cancel := context.WithTimeout(ctx, smokeTimeout)
	defer cancel()
	client := openai.NewClient(option.WithBaseURL(base), option.WithAPIKey(key), option.WithMaxRetries(0))
	stream := client.Chat.Completions.NewStreaming(ctx, openai.ChatCompletionNewParams{
		Model:         "deepseek-v4-pro",
		Messages:      []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello!")},
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
	})
	defer func() { _ = stream.Close() }()
	text, tokens := "", int64(0)
	for stream.Next() {
		chunk := stream.Current()
		if len(chunk.Choices) > 0 {
			text += chunk.Choices[0].Delta.Content
		}
		tokens += chunk.Usage.TotalTokens
	}
	if err := stream.Err(); err != nil {
		return fmt.Errorf("streaming through the gateway: %w", err)
	}
	if text == "" || tokens == 0 {
		return fmt.Errorf("checking the answer (%d tokens): %w", tokens, errEmptyAnswer)
	}
	sayf("smoke: streamed %q, %d tokens", text, tokens)
	return nil
}
