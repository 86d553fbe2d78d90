package kling

import (
	"fmt"
	"strings"
)

// content is one of the contents of a video.
type content struct {
	Type      string  `json:"type"`
	Text      *string `json:"text"`
	URL       *string `json:"url"`
	ElementID *string `json:"element_id"`
	ID        *string `json:"id"`
}

// maxReferences is how many contents beside the prompt an omni door takes.
const maxReferences = 7

// checkContents returns the prompt of a list that is right. That there has to be one prompt, and at an omni door anything beside
// it, is the stricter reading.
func checkContents(d door, contents []content) (prompt string, p *problem) {
	count := map[string]int{}
	for i, c := range contents {
		if p := c.check(d, fmt.Sprintf("contents[%d]", i)); p != nil {
			return "", p
		}
		if c.Type == "prompt" {
			prompt = *c.Text
		}
		count[c.Type]++
	}
	return prompt, checkCounts(d, count, len(contents))
}

// checkCounts checks how many of all contents there are of each type.
func checkCounts(d door, count map[string]int, all int) *problem {
	switch {
	case count["prompt"] != 1:
		return invalid("contents must have one prompt")
	case max(count["first_frame"], count["last_frame"]) > 1:
		return invalid("contents has a frame twice")
	case count["last_frame"] > count["first_frame"]:
		return invalid("contents: last_frame needs first_frame")
	case !d.omni() && count["first_frame"] == 0:
		return invalid("contents must have a first_frame")
	case d.omni() && (all < 2 || all > 1+maxReferences):
		return invalid("contents must have 1 to %d references", maxReferences)
	}
	return nil
}

// membersOf returns what a content of a type has beside the type, and whether there is such a type.
func membersOf(kind string, omni bool) (members string, ok bool) {
	switch kind {
	case "prompt":
		return "text", true
	case "first_frame", "last_frame":
		return "url", true
	case "element":
		return "element_id id", true
	case "refer_image", "feature_video", "base_video":
		return "url", omni
	}
	return "", false
}

// members names what a content has.
func (c *content) members() string {
	var names []string
	for _, m := range []struct {
		name  string
		value *string
	}{{"text", c.Text}, {"url", c.URL}, {"element_id", c.ElementID}, {"id", c.ID}} {
		if m.value != nil {
			names = append(names, m.name)
		}
	}
	return strings.Join(names, " ")
}

// check refuses a type that the door does not have, and members that the type does not have.
func (c *content) check(d door, name string) *problem {
	members, ok := membersOf(c.Type, d.omni())
	switch {
	case !ok:
		return invalid("%s.type is unknown here", name)
	case c.members() != members:
		return invalid("%s does not have the members of its type %s", name, c.Type)
	case members == "text":
		return text(name+".text", c.Text, 3072)
	case strings.HasSuffix(c.Type, "_video"):
		return link(name+".url", c.URL)
	case members == "url":
		return picture(name+".url", c.URL)
	}
	return nil
}
