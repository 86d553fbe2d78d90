package tokenhubmedia

import (
	"fmt"
	"math"
	"mime"
	"net/http"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// route is one call.
type route struct {
	model string
	// fields are what the call's description shows, more what [Rules.JobFields] adds.
	fields, more []field
	serve        func(*Simulator, *call)
}

// routes are the calls by path. Lengths and sizes are those of the same models at Tencent Cloud.
func routes() map[string]route {
	prompt, liteText := text(8192), text(1024)
	images, seed := field{"images", false, references}, field{"seed", false, integer(1, math.MaxUint32)}
	logo, revise := field{"logo_add", false, integer(0, 1)}, field{"revise", false, onOff}
	jobSize, sizeByX := field{"resolution", false, resolution}, field{"size", false, sides("x")}
	query := []field{{"id", true, text(256)}}
	return map[string]route{
		"/v1/api/image/submit": {
			model: "hy-image-v3.0", serve: (*Simulator).submitImage,
			fields: []field{{"prompt", true, prompt}, images, jobSize, {"negative_prompt", false, prompt}, logo},
			more:   []field{seed, revise},
		},
		"/v1/api/image/query": {model: "hy-image-v3.0", serve: (*Simulator).queryImage, fields: query},
		"/v1/api/image/lite": {
			model: "hy-image-lite", serve: (*Simulator).imageAtOnce,
			// Only url is shown for rsp_img_type, and no body is shown without it.
			fields: []field{{"prompt", true, liteText}, {"rsp_img_type", true, oneOf("url")}},
			more:   []field{jobSize, {"negative_prompt", false, liteText}, seed, logo},
		},
		"/v1/wand/hunyuan-image/v3-generation": {
			model: "hy-image-v3", serve: (*Simulator).imageAtOnce,
			fields: []field{{"prompt", true, prompt}, images, sizeByX, seed, revise},
			more:   []field{{"negative_prompt", false, prompt}, logo},
		},
		"/v1/api/video/submit": {
			model: "hy-video-1.5", serve: (*Simulator).submitVideo,
			fields: []field{{"prompt", true, text(200)}, {"image", false, firstFrame}, logo, {"resolution", false, oneOf("720p", "1080p")}},
		},
		"/v1/api/video/query": {model: "hy-video-1.5", serve: (*Simulator).queryVideo, fields: query},
	}
}

// serve answers one API request. No code is documented for a wrong path or method, so a plain page answers them.
func (s *Simulator) serve(v *studio.Visit) {
	c := &call{Visit: v, id: fmt.Sprintf("8b5f4c2e-0000-4000-8000-%012x", v.Next()), rules: s.currentRules()}
	rt, ok := s.routes[v.R.URL.Path]
	switch {
	case !ok:
		c.Entry.Reason = "no such path"
		c.Text(http.StatusNotFound, "text/plain", "404 page not found")
		return
	case v.R.Method != http.MethodPost:
		c.Entry.Reason = "wrong method"
		c.W.Header().Set("Allow", http.MethodPost)
		c.Text(http.StatusMethodNotAllowed, "text/plain", "405 method not allowed")
		return
	}
	p := c.authenticate()
	if p == nil {
		p = c.read(rt)
	}
	if p != nil {
		c.refuse(p)
		return
	}
	rt.serve(s, c)
}

// authenticate checks the key.
func (c *call) authenticate() *problem {
	token, ok := c.Bearer("Bearer ")
	switch {
	case !ok:
		return refusal(noKey, "an Authorization header with a bearer token is required")
	case token != key:
		return refusal(wrongKey, "invalid api key")
	}
	return nil
}

// read reads the body.
func (c *call) read(rt route) *problem {
	mediaType, _, err := mime.ParseMediaType(c.R.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return refusal(badParameter, "the Content-Type must be application/json")
	}
	if c.R.URL.RawQuery != "" { // none is documented
		return refusal(badParameter, "there are no query parameters")
	}
	fields := append([]field{{"model", true, func(_ Rules, name string, v result) *problem {
		if p := text(256)(c.rules, name, v); p != nil {
			return p
		}
		c.Entry.Model = v.Str
		if v.Str != rt.model {
			return refusal(unknownModel, "the model '%s' does not exist here", v.Str)
		}
		return nil
	}}}, rt.fields...)
	if c.rules.JobFields {
		fields = append(fields, rt.more...)
	}
	var p *problem
	c.in, p = object(c.Body, c.rules, fields)
	return p
}
