package gateway

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/gorilla/mux"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/route"
	"vipcloud.ai/vipcloud/gateway/table"
)

// listModels serves GET /v1/models: what this key can use.
func (s *Server) listModels(x *exchange) *openai.Error {
	t := s.Table()
	list := openai.ModelList{Object: "list", Data: []openai.Model{}}
	if t != nil {
		for _, r := range t.Routes() {
			if route.Listed(x.key, r) {
				list.Data = append(list.Data, modelOf(r, detailed(x.r)))
			}
		}
	}
	return x.writeJSON(list)
}

// getModel serves GET /v1/models/{id}; the id may hold slashes, escaped or not.
func (s *Server) getModel(x *exchange) *openai.Error {
	id := mux.Vars(x.r)["model"]
	t := s.Table()
	if t == nil {
		return openai.UnknownModel(id)
	}
	r := t.Resolve(id)
	if r == nil || !route.Listed(x.key, r) {
		return openai.UnknownModel(id)
	}
	return x.writeJSON(modelOf(r, detailed(x.r)))
}

// detailed says whether the client asked for display metadata.
func detailed(r *http.Request) bool {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return false
	}
	switch values.Get("detail") {
	case "1", "true":
		return true
	}
	return false
}

// modelOf is a route as a client sees it: OpenAI's four members, and the rest only with detail.
func modelOf(r *table.Route, detail bool) openai.Model {
	m := openai.Model{ID: r.Model, Object: "model", Created: r.Created, OwnedBy: r.Display.Org}
	if detail {
		m.ModelDetail = detailOf(r)
	}
	return m
}

// detailOf is the display metadata of a route.
func detailOf(r *table.Route) *openai.ModelDetail {
	tags := r.Display.Tags
	if tags == nil {
		tags = []string{}
	}
	return &openai.ModelDetail{
		Label: r.Display.Label, Org: r.Display.Org, Context: r.Display.ContextWindow, Description: r.Display.Description,
		Tags: tags, Modality: lower(r.Modality), Availability: lower(r.Availability), Aliases: r.Aliases,
		Pricing: pricingOf(r.Pricing), Voices: voicesOf(r.Voices),
	}
}

// voicesOf shows the public names of voices. What the vendor calls them is nobody's business.
func voicesOf(voices []table.Voice) []openai.Voice {
	var shown []openai.Voice
	for i := range voices {
		v := &voices[i]
		shown = append(shown, openai.Voice{ID: v.Name, Label: v.Label, Language: v.Language})
	}
	return shown
}

// writeJSON answers with a small document.
func (x *exchange) writeJSON(v openai.Document) *openai.Error {
	body, err := v.JSON()
	if err != nil {
		e := openai.Internal(x.rec.RequestID)
		e.Cause = err
		return e
	}
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(http.StatusOK)
	if x.r.Method != http.MethodHead {
		_, _ = x.w.Write(body) // the client's having gone is all that can go wrong
	}
	return nil
}
