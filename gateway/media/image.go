package media

import (
	"regexp"
	"strconv"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// Bounds of image requests.
const (
	maxImages     = 10
	maxReferences = 16
	maxSide       = 8192
)

// Image is what a client asked of POST /v1/images/generations.
type Image struct {
	provider.ImageRequest
	// Stream says that the client wants events.
	Stream bool
}

// ParseImage reads an image request. The model is somebody else's to read.
func ParseImage(o *openai.Object) (Image, *openai.Error) {
	f := &fields{object: o}
	f.known("model", "prompt", "n", "size", "response_format", "image", "images", "seed", "negative_prompt", "watermark", "output_format",
		"stream", "partial_images", "user", "quality", "style", "background", "moderation", "output_compression")
	var in Image
	in.Prompt = f.required("prompt", maxText)
	in.N = 1
	if n := f.integer("n", 1, maxImages); n != nil {
		in.N = int(*n)
	}
	in.Width, in.Height = f.size("size")
	in.Base64 = f.choice("response_format", "url", "b64_json") == "b64_json"
	in.Images = append(f.references("image", maxReferences), f.references("images", maxReferences)...)
	in.Seed = f.integer("seed", 0, 1<<32-1)
	in.NegativePrompt = f.text("negative_prompt", maxText)
	in.Watermark = f.boolean("watermark")
	in.OutputFormat = f.choice("output_format", "png", "jpeg", "webp")
	if s := f.boolean("stream"); s != nil && *s {
		in.Stream, in.Base64 = true, true // events carry bytes
	}
	f.harmless()
	return in, f.problem
}

// harmless checks the parameters of OpenAI's own models that change nothing here: they are hints about quality and style that a
// client cannot rely on. A value that would change what the client gets is refused.
func (f *fields) harmless() {
	f.text("user", maxText)
	f.choice("quality", "auto", "low", "medium", "high", "standard", "hd")
	f.choice("style", "vivid", "natural")
	f.choice("moderation", "auto", "low")
	if f.choice("background", "auto", "opaque", "transparent") == "transparent" {
		f.refusef("background", "unsupported_value", "background transparent is not supported; use opaque or auto.")
	}
	if c := f.integer("output_compression", 0, 100); c != nil && *c != 100 {
		f.refusef("output_compression", "unsupported_value", "output_compression is not supported; leave it out or use 100.")
	}
	f.integer("partial_images", 0, 3) // there are none to send
}

// sizePattern is WIDTHxHEIGHT.
var sizePattern = regexp.MustCompile(`^([1-9][0-9]{1,4})[xX]([1-9][0-9]{1,4})$`)

// size reads WIDTHxHEIGHT; zeros for auto and for none.
func (f *fields) size(name string) (width, height int) {
	s := f.text(name, 32)
	if s == "" || s == "auto" {
		return 0, 0
	}
	m := sizePattern.FindStringSubmatch(s)
	if m == nil {
		f.refusef(name, "unsupported_value", "%s must be WIDTHxHEIGHT such as 1024x1024, or auto.", name)
		return 0, 0
	}
	width, _ = strconv.Atoi(m[1]) // the pattern bounds it
	height, _ = strconv.Atoi(m[2])
	if width > maxSide || height > maxSide {
		f.refusef(name, "unsupported_value", "%s has a side of more than %d pixels.", name, maxSide)
	}
	return width, height
}
