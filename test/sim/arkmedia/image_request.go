package arkmedia

import (
	"fmt"
	"image"
	"regexp"
	"strconv"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// maxSet bounds references and results of a sequential request together.
const maxSet = 15

// imageRequest is a request that the vendor takes.
type imageRequest struct {
	Order
	spec           imageModel
	inputs         []image.Point
	stream, base64 bool
}

// readImages reads and checks a body. The model is returned even with a problem.
func (s *Simulator) readImages(body []byte) (*imageRequest, *problem) {
	q := &imageRequest{Order: Order{Kind: studio.Image, Model: gjson.GetBytes(body, "model").Str}}
	if !gjson.ValidBytes(body) {
		return q, invalid("body", "want JSON")
	}
	r := &reader{}
	members := []string{"model", "prompt", "image", "size", "seed", "guidance_scale", "sequential_image_generation",
		"sequential_image_generation_options", "stream", "response_format", "watermark", "optimize_prompt_options", "output_format",
		"tools", "layer_decomposition"}
	if s.Alternate {
		members = nil
	}
	f := r.open("", gjson.ParseBytes(body), members...)
	f.need("model")
	f.text("model")
	if r.bad != nil {
		return q, r.bad
	}
	var p *problem
	if q.spec, p = imageModelOf(q.Model); p != nil {
		return q, p
	}
	f.need("prompt")
	q.Prompt = f.text("prompt")
	q.references(f)
	q.options(f, s.Alternate)
	q.Width, q.Height = q.spec.size(f, q.Prompt)
	if q.spec.edits && len(q.inputs) == 1 && q.inputs[0] != (image.Point{}) {
		q.Width, q.Height = q.inputs[0].X, q.inputs[0].Y // adaptive
	}
	q.sequence(f)
	return q, r.bad
}

// references reads image.
func (q *imageRequest) references(f *form) {
	f.only("image", q.spec.modern || q.spec.edits, "the model takes no image")
	if q.spec.edits {
		f.need("image")
	}
	most := 1
	if q.spec.modern {
		most = 14
	}
	values := f.oneOrMore("image")
	if len(values) > most || f.has("image") && len(values) == 0 {
		f.refusef("image", "want from 1 to %d images", most)
	}
	for i, v := range values {
		at := fmt.Sprintf("image[%d]", i)
		if v.Type != gjson.String {
			f.fail(invalid(at, "want a string"))
			continue
		}
		q.inputs = append(q.inputs, f.picture(at, v.Str, seedreamLimits(q.spec.modern)))
	}
	q.References = len(q.inputs)
}

// options reads what does not change how many images there are.
func (q *imageRequest) options(f *form, lenient bool) {
	m := q.spec
	if m.modern && !lenient { // whether 4.x refuses or ignores these is not documented
		f.only("seed", false, "the model takes no seed")
		f.only("guidance_scale", false, "the model takes no guidance_scale")
	}
	if !m.modern {
		f.integer("seed", -1, -1, 1<<31-1)
		f.number("guidance_scale", 2.5, 1, 10)
	}
	f.only("stream", m.modern, "the model does not stream")
	q.stream = f.flag("stream", false)
	q.base64 = f.choice("response_format", "url", "url", "b64_json") == "b64_json"
	q.Watermark = f.flag("watermark", true)
	f.only("output_format", m.formats, "the model makes jpeg only")
	q.Format = f.choice("output_format", "jpeg", "png", "jpeg")
	f.only("tools", m.tools, "the model takes no tools")
	f.webSearch("tools")
	f.only("layer_decomposition", m.layers, "the model makes no layers")
	f.flag("layer_decomposition", false)
	f.only("optimize_prompt_options", m.modern, "the model has no such option")
	if f.has("optimize_prompt_options") {
		o := f.open("optimize_prompt_options", f.members["optimize_prompt_options"], "mode")
		if o.choice("mode", "standard", "standard", "fast") == "fast" && !m.fast {
			o.refusef("mode", "the model takes standard only")
		}
	}
}

// sequence reads how many images there may be, and decides as the model does: as many as the prompt's first number says, within
// the bound, or else the bound. Options without "auto", and a bound that leaves no room for the references, are refused: the
// stricter reading.
func (q *imageRequest) sequence(f *form) {
	const mode, options = "sequential_image_generation", "sequential_image_generation_options"
	f.only(mode, q.spec.modern, "the model makes one image")
	auto := f.choice(mode, "disabled", "auto", "disabled") == "auto"
	f.only(options, auto, "only with sequential_image_generation auto")
	q.Images = 1
	if !auto {
		return
	}
	most := max(maxSet-q.References, 1)
	if f.has(options) {
		o := f.open(options, f.members[options], "max_images")
		if most = o.integer("max_images", most, 1, maxSet); most+q.References > maxSet {
			o.refusef("max_images", "references and results must not be more than %d", maxSet)
		}
	}
	q.Images = most
	if n, err := strconv.Atoi(regexp.MustCompile(`\b[0-9]+\b`).FindString(q.Prompt)); err == nil && n > 0 {
		q.Images = min(n, most)
	}
}
