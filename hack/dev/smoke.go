package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // what the sample's model makes
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// smokeTimeout bounds the calls of a smoke run.
const smokeTimeout = 30 * time.Second

// errEmptyAnswer means that an answer held nothing.
var errEmptyAnswer = errors.New("the answer held nothing")

// smoke makes a chat call and an image call through the gateway with OpenAI's own SDK.
func smoke(ctx context.Context, base, key string) error {
	ctx, cancel := context.WithTimeout(ctx, smokeTimeout)
	defer cancel()
	client := openai.NewClient(option.WithBaseURL(base), option.WithAPIKey(key), option.WithMaxRetries(0))
	return errors.Join(smokeChat(ctx, client), smokeImage(ctx, client))
}

// smokeChat streams one completion.
func smokeChat(ctx context.Context, client openai.Client) error {
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
		return fmt.Errorf("checking the completion (%d tokens): %w", tokens, errEmptyAnswer)
	}
	sayf("smoke: streamed %q, %d tokens", text, tokens)
	return nil
}

// smokeImage makes one image and opens it.
func smokeImage(ctx context.Context, client openai.Client) error {
	got, err := client.Images.Generate(ctx, openai.ImageGenerateParams{
		Model: "seedream-4.5", Prompt: "a snow leopard", ResponseFormat: openai.ImageGenerateParamsResponseFormatB64JSON,
	})
	if err != nil {
		return fmt.Errorf("making an image through the gateway: %w", err)
	}
	if len(got.Data) != 1 {
		return fmt.Errorf("checking the images (%d): %w", len(got.Data), errEmptyAnswer)
	}
	data, err := base64.StdEncoding.DecodeString(got.Data[0].B64JSON)
	if err != nil {
		return fmt.Errorf("decoding the image: %w", err)
	}
	picture, format, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("opening the image: %w", err)
	}
	sayf("smoke: made an image, %s of %v", format, picture.Bounds().Size())
	return nil
}
