package dashscope

import (
	"fmt"
	"image"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// imageRequest is a request that the vendor takes.
type imageRequest struct {
	Order
	spec       imageModel
	inputs     []image.Point
	sequential bool
}

// readImages reads and checks a body. The model is returned even with a problem.
func (s *Simulator) readImages(path string, body []byte) (*imageRequest, *problem) {
	r := &reader{}
	e := r.readEnvelope(body)
	q := &imageRequest{Order: Order{Kind: studio.Image, Model: e.model}}
	if r.bad != nil {
		return q, r.bad
	}
	var p *problem
	if q.spec, p = imageModelOf(e.model, path); p != nil {
		return q, p
	}
	if q.spec.messages {
		q.dialogue(r, e.input)
	} else {
		f := r.open("input", e.input, "prompt", "negative_prompt")
		q.Prompt, q.Negative = f.need("prompt", q.spec.maxText), f.text("negative_prompt", 0)
	}
	known := []string{"size", "n", "seed", "prompt_extend", "watermark"}
	switch {
	case q.spec.seven:
		known = []string{"size", "n", "enable_sequential", "thinking_mode", "bbox_list", "color_palette", "watermark", "seed"}
	case q.spec.messages:
		known = append(known, "negative_prompt")
	}
	q.parameters(r.open("parameters", e.parameters, known...), s.Alternate)
	return q, r.bad
}

// dialogue reads the one message: its texts and images.
func (q *imageRequest) dialogue(r *reader, input gjson.Result) {
	f := r.open("input", input, "messages")
	messages := f.list("messages")
	if len(messages) != 1 {
		f.refusef("messages", "want exactly one message")
		return
	}
	m := r.open("input.messages[0]", messages[0], "role", "content")
	m.need("role", 0)
	m.choice("role", "", "user")
	texts := 0
	for i, v := range m.list("content") {
		item := r.open(fmt.Sprintf("input.messages[0].content[%d]", i), v, "text", "image")
		if item.has("text") == item.has("image") {
			r.fail(invalid(item.at, "want either text or image"))
		}
		if item.has("image") {
			item.only("image", q.spec.seven, "the model takes no images")
			q.inputs = append(q.inputs, r.picture(item.path("image"), item.need("image", 0)))
			continue
		}
		texts++
		most := q.spec.maxText
		if q.spec.cut {
			most = 0
		}
		q.Prompt = q.spec.cutText(item.need("text", most))
	}
	if q.References = len(q.inputs); texts != 1 || q.References > 9 {
		m.refusef("content", "want exactly one text, and at most 9 images")
	}
}

// parameters reads the rest. That thinking_mode true is refused where it does nothing is the stricter reading, and so is a palette
// in a sequence.
func (q *imageRequest) parameters(f *form, lenient bool) {
	q.sequential = f.flag("enable_sequential", false)
	plain := len(q.inputs) == 0 && !q.sequential
	if f.flag("thinking_mode", false) && !plain {
		f.refusef("thinking_mode", "only for text to image, and not for sequences")
	}
	q.Negative += f.text("negative_prompt", 0)
	q.Watermark, q.Extended = f.flag("watermark", false), !q.spec.seven && f.flag("prompt_extend", true)
	f.seed()
	q.boxes(f)
	f.only("color_palette", !q.sequential || lenient, "not for sequences")
	palette(f)
	q.Width, q.Height = q.spec.size(q, f)
	most, usual := 4, 4
	if q.sequential {
		most, usual = 12, 12
	}
	q.Images = f.integer("n", usual, 1, most)
	if n, err := strconv.Atoi(regexp.MustCompile(`\b[0-9]+\b`).FindString(q.Prompt)); q.sequential && err == nil && n > 0 {
		q.Images = min(n, q.Images) // n is an upper bound: the model follows the prompt, here its first number
	}
}

// boxes reads bbox_list: for each image its boxes, of four whole numbers each.
func (q *imageRequest) boxes(f *form) {
	perImage := f.list("bbox_list")
	if f.has("bbox_list") && (len(perImage) != q.References || q.References == 0) {
		f.refusef("bbox_list", "want a list of boxes for each image")
	}
	for _, boxes := range perImage {
		if !boxes.IsArray() || slices.ContainsFunc(boxes.Array(), isNoBox) {
			f.refusef("bbox_list", "want boxes of four whole numbers")
		}
	}
}

func isNoBox(v gjson.Result) bool {
	corners := v.Array()
	return len(corners) != 4 || slices.ContainsFunc(corners, func(c gjson.Result) bool {
		return c.Type != gjson.Number || c.Num < 0 || c.Num != math.Trunc(c.Num)
	})
}

// palette reads color_palette: 3 to 10 colours whose shares add to 100 %.
func palette(f *form) {
	colours, sum := f.list("color_palette"), 0
	if f.has("color_palette") && (len(colours) < 3 || len(colours) > 10) {
		f.refusef("color_palette", "want 3 to 10 colours")
	}
	for i, v := range colours {
		c := f.open(fmt.Sprintf("%s[%d]", f.path("color_palette"), i), v, "hex", "ratio")
		if !regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`).MatchString(c.need("hex", 0)) {
			c.refusef("hex", "want #RRGGBB")
		}
		share := regexp.MustCompile(`^([0-9]{1,3})\.([0-9]{2})%$`).FindStringSubmatch(c.need("ratio", 0))
		if share == nil {
			c.refusef("ratio", "want a share such as 25.00%%")
			continue
		}
		hundredths, _ := strconv.Atoi(share[1] + share[2])
		sum += hundredths
	}
	if len(colours) > 0 && sum != 100_00 {
		f.refusef("color_palette", "the shares must add to 100%%")
	}
}
