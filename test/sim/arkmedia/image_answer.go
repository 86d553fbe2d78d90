package arkmedia

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// longSide bounds the pixels that are really encoded.
const longSide = 1024

// images serves images/generations.
func (s *Simulator) images(v *studio.Visit) {
	q, p := s.readImages(v.Body)
	v.Entry.Model = q.Model
	if p != nil {
		s.refuse(v, p)
		return
	}
	mode := v.Mode(q.Prompt)
	if mode == studio.TaskStuck { // there is no task: it is the answer that does not come
		mode = studio.Stall
	}
	if mode == studio.TaskSlow {
		v.Pause(s.slowness())
		mode = ""
	}
	if s.fails(v, mode, studio.Image) {
		return
	}
	v.Work() // the vendor works on and bills, whether or not the client waits
	q.ID = s.requestID()
	s.book(q.Order)
	a := s.produce(v, q, mode)
	if a.made > 0 {
		s.Bill(studio.Charge{ID: q.ID, Kind: studio.Image, Model: q.Model, Units: int64(a.made)})
	}
	if q.stream {
		a.streamTo(v, mode)
		return
	}
	respond(v, mode, a.document(s.Alternate))
}

// slowness is how long a slow task takes.
func (s *Simulator) slowness() time.Duration {
	return s.Finished(&studio.Task{Mode: studio.TaskSlow}).Sub(time.Time{})
}

// imageAnswer is what became of a request.
type imageAnswer struct {
	*imageRequest
	created int64
	// elements are the images, or the errors in their places.
	elements []map[string]any
	made     int
}

// produce paints. One picture serves all images of a set.
func (s *Simulator) produce(v *studio.Visit, q *imageRequest, mode studio.Mode) *imageAnswer {
	a := &imageAnswer{imageRequest: q, created: s.Now().Unix()}
	if mode == studio.NoAudio { // the answer counts and bills images that it does not hold
		a.made = q.Images
		return a
	}
	data := paint(q.Format, q.Width, q.Height)
	for i := range q.Images {
		switch {
		case mode == studio.PartialOutput && i == q.Images-1:
			a.fail("OutputImageSensitiveContentDetected")
			continue
		case mode == PartialStopped && i == min(1, q.Images-1):
			a.fail("InternalServiceError")
			return a
		}
		element := map[string]any{}
		if q.spec.modern { // an answer of 3.0 has no sizes
			element["size"] = fmt.Sprintf("%dx%d", q.Width, q.Height)
		}
		if q.base64 {
			element["b64_json"] = base64.StdEncoding.EncodeToString(data)
		} else {
			element["url"] = v.Publish(q.Format, "image/"+q.Format, data)
		}
		a.elements = append(a.elements, element)
		a.made++
	}
	return a
}

func (a *imageAnswer) fail(code string) {
	a.elements = append(a.elements, map[string]any{"error": map[string]any{"code": code,
		"message": "The image could not be made: simulated."}})
}

// usage counts successes; the tokens are those of the answered sizes. An answer of 3.0 has no tokens.
func (a *imageAnswer) usage() map[string]any {
	usage := map[string]any{"generated_images": a.made}
	if a.spec.modern {
		tokens := a.made * a.Width * a.Height / 256
		usage["output_tokens"], usage["total_tokens"] = tokens, tokens
	}
	if a.References > 0 {
		usage["input_images"] = a.References
	}
	return usage
}

// document is the whole answer. The documents list a top-level error without saying when it comes.
func (a *imageAnswer) document(withError bool) map[string]any {
	document := map[string]any{"model": a.Model, "created": a.created, "data": a.elements, "usage": a.usage()}
	if a.elements == nil {
		document["data"] = []any{}
	}
	if a.made == 0 && len(a.elements) > 0 && withError {
		document["error"] = a.elements[0]["error"]
	}
	return document
}

// streamTo sends an event for each image, finished or failed. Truncated ends the stream properly but without its last two
// events, MidStream breaks off after the first image.
func (a *imageAnswer) streamTo(v *studio.Visit, mode studio.Mode) {
	if mode == studio.Lost {
		v.Abort()
	}
	for i, element := range a.elements {
		kind := "image_generation.partial_succeeded"
		if element["error"] != nil {
			kind = "image_generation.partial_failed"
		}
		element["image_index"] = i
		if !a.event(v, kind, element) {
			return
		}
		if mode == studio.MidStream {
			v.Abort()
		}
	}
	if mode == studio.Truncated {
		return
	}
	if a.event(v, "image_generation.completed", map[string]any{"usage": a.usage()}) {
		v.Chunk("text/event-stream", "data: [DONE]\n\n")
	}
}

func (a *imageAnswer) event(v *studio.Visit, kind string, members map[string]any) bool {
	members["type"], members["model"], members["created"] = kind, a.Model, a.created
	data, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return v.Chunk("text/event-stream", fmt.Sprintf("event: %s\ndata: %s\n\n", kind, data))
}

// paint makes a picture of the right shape, its long side at most longSide.
func paint(format string, width, height int) []byte {
	if long := max(width, height); long > longSide {
		width, height = max(width*longSide/long, 1), max(height*longSide/long, 1)
	}
	if format == "png" {
		return studio.PNG(width, height)
	}
	return studio.JPEG(width, height)
}
