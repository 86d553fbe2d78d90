package dashscope

import (
	"fmt"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// ChosenSeconds is the length that the model chooses for duration -1.
const ChosenSeconds = 7

// submitVideo serves video synthesis.
func (s *Simulator) submitVideo(v *studio.Visit) {
	q, p := s.readVideo(v.Body)
	v.Entry.Model = q.Model
	if p != nil {
		s.refuse(v, p)
		return
	}
	mode := v.Mode(q.Prompt)
	if s.fails(v, mode, true) {
		return
	}
	q.ID = s.id("7d20")
	j := &job{Order: q.Order}
	if mode != studio.NoAudio && mode != studio.PartialOutput { // one video has no parts: none of it is there
		j.video = v.Publish("mp4", "video/mp4", studio.MP4(time.Duration(q.Seconds)*time.Second))
	}
	s.accept(v, mode, j, q.Seconds)
}

// videoRequest is a request that the vendor takes.
type videoRequest struct {
	Order
	spec videoModel
}

// readVideo reads and checks a body. The model is returned even with a problem.
func (s *Simulator) readVideo(body []byte) (*videoRequest, *problem) {
	r := &reader{}
	e := r.readEnvelope(body)
	q := &videoRequest{Order: Order{Kind: studio.Video, Model: e.model}}
	if r.bad != nil {
		return q, r.bad
	}
	m, ok := videoModels()[e.model]
	if _, isImage := imageModels()[e.model]; isImage {
		return q, invalid("url", "the model %s is not served at this address", e.model)
	}
	if !ok {
		return q, invalid("model", "Model not exist")
	}
	q.spec = m
	f := r.open("input", e.input, m.input...)
	if m.needsPrompt {
		f.need("prompt", 0)
	}
	// No bound on prompts is in the documents at hand.
	q.Prompt, q.Negative = f.text("prompt", 0), f.text("negative_prompt", 500)
	if f.has("audio_url") {
		f.address("input.audio_url", f.text("audio_url", 0))
		q.References++
	}
	if f.has("img_url") || m.needsImage {
		f.picture("input.img_url", f.need("img_url", 0))
		q.References++
	}
	q.media(f, s.Alternate)
	q.parameters(r.open("parameters", e.parameters, m.parameters...))
	return q, r.bad
}

// media reads input.media: how many of each type the model takes, and which may stand together.
func (q *videoRequest) media(f *form, lenient bool) {
	counts := map[string]int{}
	for i, v := range f.list("media") {
		item := f.open(fmt.Sprintf("input.media[%d]", i), v, "type", "url")
		kind := item.need("type", 0)
		counts[kind]++
		switch most := q.spec.media[kind]; {
		case most == 0:
			item.refusef("type", "the model takes no %q", kind)
		case counts[kind] > most:
			item.refusef("type", "want at most %d of type %s", most, kind)
		}
		isImage := kind == "first_frame" || kind == "last_frame" || kind == "reference_image"
		if url := item.need("url", 0); isImage && lenient {
			f.picture(item.path("url"), url)
		} else {
			f.address(item.path("url"), url)
		}
		q.References++
	}
	if why := q.spec.mixes(counts, q.References); why != "" {
		f.refusef("media", "%s", why)
	}
}

// parameters reads the rest.
func (q *videoRequest) parameters(f *form) {
	m := q.spec
	q.Resolution = f.choice("resolution", m.resolutions[len(m.resolutions)-1], m.resolutions...)
	q.Ratio = f.choice("ratio", m.ratio, append(ratios(), m.ratio)...)
	if q.Ratio == "adaptive" {
		q.Ratio = "16:9"
	}
	q.Width, q.Height = dimensions(q.Resolution, q.Ratio)
	if f.has("size") {
		q.Resolution, q.Ratio = m.sizes[f.choice("size", "", m.sizeNames()...)][0], m.sizes[f.members["size"].Str][1]
		q.Width, q.Height = dimensions(q.Resolution, q.Ratio)
	}
	q.Seconds = 5
	if m.chooses && f.members["duration"].Raw == "-1" {
		q.Seconds = ChosenSeconds
	} else {
		q.Seconds = f.integer("duration", 5, m.shortest, m.longest)
	}
	if m.fixed && q.Seconds%5 != 0 {
		f.refusef("duration", "want 5 or 10")
	}
	q.Audio = f.flag("audio", true)
	q.Extended = f.flag("prompt_extend", m.extends)
	q.Watermark = f.flag("watermark", false)
	f.choice("shot_type", "single", "single", "multi")
	f.seed()
}
