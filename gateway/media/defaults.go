package media

import (
	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// WithDefaults returns a body with the members that the admin sets where the client sent none (null counts as none).
func WithDefaults(o *openai.Object, defaults []provider.Parameter) *openai.Object {
	var edit *openai.Edit
	for _, d := range defaults {
		if raw, ok := o.Get(d.Name); ok && string(raw) != "null" {
			continue
		}
		if edit == nil {
			edit = o.Edit()
		}
		edit.Set(d.Name, d.Value)
	}
	if edit == nil {
		return o
	}
	changed, err := openai.ParseObject(edit.Body().Bytes())
	if err != nil {
		return o // members of an object whose values were checked when the route was compiled always make an object
	}
	return changed
}
