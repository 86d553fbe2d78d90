package arkmedia

import (
	"fmt"
	"image"
	"strings"

	"github.com/tidwall/gjson"
)

// material is what the content of a task holds.
type material struct {
	text, draft   string
	first         image.Point // pixels of the first frame, if known
	roles         map[string]int
	bare          int // images without a role
	hasText       bool
	isDraft       bool
	totalElements int
}

// readContent reads the items of content.
func readContent(f *form) *material {
	c := &material{roles: map[string]int{}}
	f.need("content")
	items := f.list("content")
	if f.has("content") && len(items) == 0 {
		f.fail(missing("content"))
	}
	for i, v := range items {
		c.item(f.reader, fmt.Sprintf("content[%d]", i), v)
	}
	c.totalElements = len(items)
	if f.bad == nil {
		f.fail(c.combination())
	}
	return c
}

// item reads one item: its type names its only other member, and media that have a role have role too.
func (c *material) item(r *reader, at string, v gjson.Result) {
	switch kind := v.Get("type").Str; kind {
	case "text":
		o := r.open(at, v, "type", "text")
		o.need("text")
		if c.hasText { // that only one text is taken is the stricter reading
			o.refusef("text", "only one text item is accepted")
		}
		c.text, c.hasText = o.text("text"), true
	case "image_url":
		c.image(r, at, v)
	case "video_url", "audio_url":
		o := r.open(at, v, "type", kind, "role")
		o.need("role")
		c.roles[o.choice("role", "", "reference_"+strings.TrimSuffix(kind, "_url"))]++
		address := inner(o, kind, "url")
		rest, isData := strings.CutPrefix(address, "data:")
		if !isData {
			r.address(at+"."+kind+".url", address, true)
		} else if !strings.Contains(rest, ";base64,") {
			r.fail(invalid(at, "want a base64 data URI"))
		}
	case "draft_task":
		o := r.open(at, v, "type", "draft_task")
		c.draft, c.isDraft = inner(o, "draft_task", "id"), true
	default:
		r.fail(invalid(at+".type", "want text, image_url, video_url, audio_url or draft_task"))
	}
}

func (c *material) image(r *reader, at string, v gjson.Result) {
	o := r.open(at, v, "type", "image_url", "role")
	role := o.choice("role", "", "first_frame", "last_frame", "reference_image")
	size := r.picture(at+".image_url.url", inner(o, "image_url", "url"), seedanceLimits())
	if role == "" {
		c.bare++
		role = "first_frame"
	}
	if role == "first_frame" {
		c.first = size
	}
	c.roles[role]++
}

// inner reads the one member of an object in an item.
func inner(o *form, name, member string) string {
	o.need(name)
	f := o.open(o.path(name), o.members[name], member)
	f.need(member)
	return f.text(member)
}

// combination checks what may stand together. That a draft stands alone, and that a text is needed unless a first frame is there,
// are the stricter readings.
func (c *material) combination() *problem {
	n := c.roles
	references := n["reference_image"] + n["reference_video"] + n["reference_audio"]
	switch {
	case c.isDraft && c.totalElements > 1:
		return invalid("content", "a draft task stands alone")
	case n["first_frame"]+n["last_frame"] > 0 && references > 0:
		return invalid("content", "first or last frames cannot be mixed with reference media")
	case !c.hasText && n["first_frame"] == 0 && !c.isDraft:
		return missing("content.text")
	case references > 0:
		return c.references()
	}
	return c.frames()
}

// frames checks the images that begin and end the video. Several images of which one has no role are refused: the stricter
// reading.
func (c *material) frames() *problem {
	first, last := c.roles["first_frame"], c.roles["last_frame"]
	switch {
	case c.bare > 0 && first+last > 1:
		return invalid("content", "each of several images needs a role")
	case first > 1 || last > 1:
		return invalid("content", "only one first_frame and one last_frame are accepted")
	case last > first:
		return invalid("content", "last_frame needs first_frame")
	}
	return nil
}

func (c *material) references() *problem {
	images, videos, audios := c.roles["reference_image"], c.roles["reference_video"], c.roles["reference_audio"]
	switch {
	case images+videos == 0:
		return invalid("content", "reference_audio needs a reference image or video")
	case images > 9 || videos > 3 || audios > 3:
		return invalid("content", "at most 9 reference images, 3 videos and 3 audios are accepted")
	}
	return nil
}

// modes refuses what the model does not do. That reference media came with 2.0 is the stricter reading.
func (c *material) modes(m videoModel, taskExists func(string) bool) *problem {
	references := c.roles["reference_image"] + c.roles["reference_video"] + c.roles["reference_audio"]
	switch {
	case references > 0 && !m.two:
		return known("InvalidParameter.TaskTypeConstraint", "The model does not generate from reference media.")
	case c.isDraft && !m.drafts:
		return known("InvalidParameter.TaskTypeConstraint", "The model does not work on drafts.")
	case c.isDraft && !taskExists(c.draft):
		return invalid("content.draft_task.id", "no such task")
	}
	return nil
}
