package sdk_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"

	"vipcloud.ai/vipcloud/test/sim"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// imagePrompt is what is drawn.
const imagePrompt = "a snow leopard in a Tang dynasty courtyard"

// imageCase is a model of images.
type imageCase struct{ Name, Model, Kind, Size, Made string }

// params is a request for n images.
func (c *imageCase) params(n int64) openai.ImageGenerateParams {
	return openai.ImageGenerateParams{
		Model: c.Model, Prompt: imagePrompt, N: openai.Int(n), Size: openai.ImageGenerateParamsSize(c.Size),
	}
}

func TestImages_addressesBytesAndEventsOpen(t *testing.T) {
	w := newWorld(t, catalog)
	client := w.client("")
	for _, tc := range load[[]imageCase](t, "images") {
		t.Run(tc.Name, func(t *testing.T) {
			t.Parallel()
			t.Run("by address", func(t *testing.T) { w.wantAddresses(t, client, &tc) })
			t.Run("as bytes", func(t *testing.T) { wantBytes(t, client, &tc) })
			t.Run("as events", func(t *testing.T) { wantEvents(t, client, &tc) })
		})
	}
}

// wantAddresses asks for two images by address, and opens them.
func (w *world) wantAddresses(t *testing.T, client openai.Client, tc *imageCase) {
	t.Helper()
	params := tc.params(2)
	params.ResponseFormat = openai.ImageGenerateParamsResponseFormatURL
	got, err := client.Images.Generate(t.Context(), params)
	if err != nil || len(got.Data) != 2 || got.Created == 0 || got.Data[0].URL == got.Data[1].URL {
		t.Fatalf("got %+v (%v)", got, err)
	}
	for _, d := range got.Data {
		data, contentType := w.download(t, d.URL)
		if kindOfType(contentType) != tc.Kind || d.B64JSON != "" {
			t.Errorf("content type is %s, image %s", contentType, d.RawJSON())
		}
		if size := d.JSON.ExtraFields["size"].Raw(); tc.Made != "" && size != `"`+tc.Made+`"` {
			t.Errorf("size is %s, want %s", size, tc.Made)
		}
		wantOpens(t, data, tc.Kind)
	}
}

// wantBytes asks for two images as bytes, and opens them.
func wantBytes(t *testing.T, client openai.Client, tc *imageCase) {
	t.Helper()
	params := tc.params(2)
	params.ResponseFormat = openai.ImageGenerateParamsResponseFormatB64JSON
	got, err := client.Images.Generate(t.Context(), params)
	if err != nil || len(got.Data) != 2 {
		t.Fatalf("got %+v (%v)", got, err)
	}
	for _, d := range got.Data {
		wantBase64(t, d.B64JSON, tc.Kind)
	}
}

// wantEvents asks for two images as events, and opens them.
func wantEvents(t *testing.T, client openai.Client, tc *imageCase) {
	t.Helper()
	events := collectImages(t, client.Images.GenerateStreaming(t.Context(), tc.params(2)))
	if len(events) != 2 {
		t.Fatalf("%d events", len(events))
	}
	for _, e := range events {
		if e.Type != "image_generation.completed" || e.OutputFormat != tc.Kind || e.CreatedAt == 0 {
			t.Errorf("event is %s of %s at %d", e.Type, e.OutputFormat, e.CreatedAt)
		}
		wantBase64(t, e.B64JSON, tc.Kind)
	}
}

// collectImages reads a stream of images to its end.
func collectImages(t *testing.T, stream *ssestream.Stream[openai.ImageGenStreamEventUnion]) (events []openai.ImageGenStreamEventUnion) {
	t.Helper()
	for stream.Next() {
		events = append(events, stream.Current())
	}
	if err := errors.Join(stream.Err(), stream.Close()); err != nil {
		t.Fatal(err)
	}
	return events
}

// wantBase64 decodes and opens a file.
func wantBase64(t *testing.T, text, kind string) {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	wantOpens(t, data, kind)
}

func TestImages_whoSaysNothingOfTheirNumberIsBilledOne(t *testing.T) {
	w := newWorld(t, catalog)
	client := w.client("")
	for _, tc := range load[[]imageCase](t, "images") {
		t.Run(tc.Name, func(t *testing.T) {
			before := w.charges()
			got, err := client.Images.Generate(t.Context(), openai.ImageGenerateParams{Model: tc.Model, Prompt: imagePrompt})
			if err != nil || len(got.Data) != 1 {
				t.Fatalf("got %+v (%v)", got, err)
			}
			if charges := w.chargesSince(before); len(charges) != 1 || charges[0].Units != 1 || charges[0].Kind != studio.Image {
				t.Errorf("the vendor bills %+v", charges)
			}
		})
	}
}

func TestImages_whatSomeCallsCouldNotMakeIsSaid(t *testing.T) {
	w := newWorld(t, catalog)
	client := w.client("")
	w.vendors.Media(sim.Ark).FailNext(1, studio.ServerError)
	got, err := client.Images.Generate(t.Context(), openai.ImageGenerateParams{Model: "seedream-4.5", Prompt: imagePrompt, N: openai.Int(3)})
	if err != nil || len(got.Data) != 2 {
		t.Fatalf("got %+v (%v)", got, err)
	}
	problems := got.JSON.ExtraFields["errors"].Raw()
	if !strings.Contains(problems, `"code":"upstream_server_error"`) || !strings.Contains(problems, `"index":`) {
		t.Errorf("errors are %s", problems)
	}
	if charges := w.charges(); len(charges) != 2 {
		t.Errorf("the vendor bills %+v", charges)
	}
}

func TestImages_sdkRecoversFromARateLimit(t *testing.T) {
	w := newWorld(t, catalog)
	var made calls
	client := w.client("", option.WithMaxRetries(2), made.option())
	w.vendors.Media(sim.Ark).FailNext(2, studio.RateLimit)
	var resp *http.Response
	got, err := client.Images.Generate(t.Context(), openai.ImageGenerateParams{Model: "seedream-4.5", Prompt: imagePrompt}, option.WithResponseInto(&resp))
	if err != nil || len(got.Data) != 1 || len(made.at) != 3 {
		t.Fatalf("got %+v (%v) after %d requests", got, err, len(made.at))
	}
	if resp.Header.Get("Cache-Control") != "no-store" {
		t.Error("an answer may be cached")
	}
}
