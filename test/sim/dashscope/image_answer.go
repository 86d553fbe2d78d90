package dashscope

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// longSide bounds the pixels that are really encoded.
const longSide = 1024

// pictures are the results of an image request.
type pictures struct {
	*imageRequest
	urls []string
	// made are those billed; refused failed inspection.
	made, refused int
}

// makeImages serves images made at once.
func (s *Simulator) makeImages(v *studio.Visit) {
	q, p := s.readImages(v.R.URL.Path, v.Body)
	v.Entry.Model = q.Model
	if p != nil {
		s.refuse(v, p)
		return
	}
	mode := v.Mode(q.Prompt)
	switch {
	case mode == studio.TaskStuck: // there is no task: it is the answer that does not come
		mode = studio.Stall
	case mode == studio.TaskSlow:
		v.Pause(s.Finished(&studio.Task{Mode: mode}).Sub(time.Time{}))
		mode = ""
	case mode == studio.PartialOutput && q.Images == 1: // a part of one is all of it
		mode = studio.ModerationOutput
	}
	if s.fails(v, mode, false) {
		return
	}
	v.Work() // the vendor works on and bills, whether or not the client waits
	q.ID = s.id("1a6e")
	s.book(q.Order)
	a := produce(v, q, mode)
	s.Bill(studio.Charge{ID: q.ID, Kind: studio.Image, Model: q.Model, Units: int64(a.made)})
	respond(v, mode, map[string]any{"output": map[string]any{"choices": a.choices(s.Alternate), "finished": true},
		"usage": a.usage(), "request_id": q.ID})
}

// submitImages serves images made by a task.
func (s *Simulator) submitImages(v *studio.Visit) {
	q, p := s.readImages(v.R.URL.Path, v.Body)
	v.Entry.Model = q.Model
	if p != nil {
		s.refuse(v, p)
		return
	}
	mode := v.Mode(q.Prompt)
	if mode == studio.PartialOutput && q.Images == 1 {
		mode = studio.ModerationOutput
	}
	if s.fails(v, mode, true) {
		return
	}
	q.ID = s.id("7d20")
	a := produce(v, q, mode)
	s.accept(v, mode, &job{Order: q.Order, pictures: a}, a.made)
}

// produce paints. One picture serves all images of a request. Of several, [studio.PartialOutput] leaves one out; with
// [studio.NoAudio] images are counted and billed that the answer does not hold.
func produce(v *studio.Visit, q *imageRequest, mode studio.Mode) *pictures {
	a := &pictures{imageRequest: q, made: q.Images}
	if mode == studio.NoAudio {
		return a
	}
	if mode == studio.PartialOutput {
		a.made, a.refused = q.Images-1, 1
	}
	data := paint(q.Width, q.Height)
	for range a.made {
		a.urls = append(a.urls, v.Publish("png", "image/png", data))
	}
	return a
}

// choices hold one image each, or all of them in one.
func (a *pictures) choices(together bool) []map[string]any {
	var content []map[string]any
	choices := []map[string]any{}
	add := func() {
		choices = append(choices, map[string]any{"finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": content}})
		content = nil
	}
	for _, url := range a.urls {
		content = append(content, map[string]any{"type": "image", "image": url})
		if !together {
			add()
		}
	}
	if len(content) > 0 {
		add()
	}
	return choices
}

// results is the older form.
func (a *pictures) results() []map[string]any {
	results := []map[string]any{}
	for _, url := range a.urls {
		results = append(results, map[string]any{"url": url, "orig_prompt": a.Prompt, "actual_prompt": a.actual()})
	}
	for range a.refused {
		results = append(results, map[string]any{"code": "DataInspectionFailed", "message": "The image failed inspection: simulated."})
	}
	return results
}

// usage counts images; how tokens are counted is not documented, nor are they billed.
func (a *pictures) usage() map[string]any {
	if !a.spec.messages {
		return map[string]any{"image_count": a.made}
	}
	read, written := utf8.RuneCountInString(a.Prompt), a.made
	return map[string]any{"image_count": a.made, "size": fmt.Sprintf("%d*%d", a.Width, a.Height), "input_tokens": read,
		"output_tokens": written, "total_tokens": read + written}
}

// actual is the prompt after the vendor has rewritten it.
func (o Order) actual() string {
	if o.Extended {
		return o.Prompt + ", highly detailed"
	}
	return o.Prompt
}

// paint makes a picture of the right shape, its long side at most longSide.
func paint(width, height int) []byte {
	if long := max(width, height); long > longSide {
		width, height = max(width*longSide/long, 1), max(height*longSide/long, 1)
	}
	return studio.PNG(width, height)
}

// sameArea is a size of about so many pixels in the ratio of wide to high, in steps of 16.
func sameArea(area, wide, high int) (width, height int) {
	step := func(x float64) int { return max(int(math.Round(x/16)), 1) * 16 }
	ratio := float64(wide) / float64(high)
	return step(math.Sqrt(float64(area) * ratio)), step(math.Sqrt(float64(area) / ratio))
}
