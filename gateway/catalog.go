package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/table"
)

// catalogPage is the public catalog, made once for each table: it is the same for everybody.
type catalogPage struct {
	body openai.RawDocument
	etag string
}

// newCatalogPage lists every public route, whatever its availability.
func newCatalogPage(t *table.Table) *catalogPage {
	list := openai.ModelList{Object: "list", Data: []openai.Model{}}
	for _, r := range t.Routes() {
		if !r.Private {
			list.Data = append(list.Data, modelOf(r, true))
		}
	}
	body, err := list.JSON()
	if err != nil {
		body = []byte(`{"object":"list","data":[]}`) // plain data always marshals
	}
	sum := sha256.Sum256(body)
	return &catalogPage{body: body, etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// getCatalog serves GET /v1/catalog. It needs no key and takes no notice of a wrong one.
func (s *Server) getCatalog(x *exchange) *openai.Error {
	page := s.catalog.Load()
	if page == nil {
		page = newCatalogPage(&table.Table{})
	}
	h := x.w.Header()
	h.Set("Cache-Control", "public, max-age=60")
	h.Set("ETag", page.etag)
	if matches(x.r.Header.Get("If-None-Match"), page.etag) {
		x.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return x.writeJSON(page.body)
}

// matches looks for an entity tag in an If-None-Match header.
func matches(header, etag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == etag || candidate == "*" {
			return true
		}
	}
	return false
}

// pricingOf shows prices as they were declared: decimal strings, in units that their names tell.
func pricingOf(p *table.Pricing) *openai.Pricing {
	if p == nil {
		return nil
	}
	out := &openai.Pricing{Currency: p.Currency, Prices: pricesOf(p.Declared)}
	for i := range p.Variants {
		v := &p.Variants[i]
		out.Variants = append(out.Variants, openai.PriceVariant{Name: v.Name, When: conditionOf(v), Prices: pricesOf(v.Declared)})
	}
	for i := range p.Windows {
		out.Windows = append(out.Windows, windowOf(&p.Windows[i]))
	}
	return out
}

// conditionOf shows which requests a variant is for.
func conditionOf(v *table.PriceVariant) openai.PriceCondition {
	when := openai.PriceCondition{Resolution: v.Resolution, Audio: v.Audio}
	if v.InputTokensAbove >= 0 {
		when.InputTokensAbove = &v.InputTokensAbove
	}
	return when
}

// pricesOf shows declared prices.
func pricesOf(d table.DeclaredPrices) openai.Prices {
	return openai.Prices{
		Input: d.InputPerMillionTokens, CachedInput: d.CachedInputPerMillionTokens, CacheWrite: d.CacheWritePerMillionTokens,
		Output: d.OutputPerMillionTokens, PerImage: d.PerImage, PerSecond: d.PerSecond, PerVideo: d.PerVideo,
		PerMillionCharacters: d.PerMillionCharacters, PerSong: d.PerSong, PerRequest: d.PerRequest,
	}
}

// windowOf shows when prices are multiplied.
func windowOf(w *table.PriceWindow) openai.PriceWindow {
	out := openai.PriceWindow{
		Name: w.Name, Start: clockTime(w.Start), End: clockTime(w.End), TimeZone: w.Zone.String(), Multiplier: w.Multiplier.Decimal(),
	}
	for day, in := range w.Days {
		if in {
			out.Days = append(out.Days, weekdays[day])
		}
	}
	return out
}

// weekdays are short names by time.Weekday.
var weekdays = [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// clockTime prints minutes of the day as HH:MM.
func clockTime(minutes int) string {
	h, m := minutes/60, minutes%60
	return string([]byte{byte('0' + h/10), byte('0' + h%10), ':', byte('0' + m/10), byte('0' + m%10)})
}

// lower is how enumerations appear to clients.
func lower(s string) string { return strings.ToLower(s) }
