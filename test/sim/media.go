package sim

import (
	"maps"
	"net/http"

	"vipcloud.ai/vipcloud/test/sim/arkmedia"
	"vipcloud.ai/vipcloud/test/sim/dashscope"
	"vipcloud.ai/vipcloud/test/sim/doubao"
	"vipcloud.ai/vipcloud/test/sim/kling"
	"vipcloud.ai/vipcloud/test/sim/minimaxmedia"
	"vipcloud.ai/vipcloud/test/sim/mureka"
	"vipcloud.ai/vipcloud/test/sim/studio"
	"vipcloud.ai/vipcloud/test/sim/tencent"
	"vipcloud.ai/vipcloud/test/sim/tokenhubmedia"
	"vipcloud.ai/vipcloud/test/sim/vidu"
	"vipcloud.ai/vipcloud/test/sim/zhiputts"
)

// The vendors that serve media alone.
const (
	Tencent      Vendor = "Tencent"
	Kling        Vendor = "Kling"
	Vidu         Vendor = "Vidu"
	Mureka       Vendor = "Mureka"
	DoubaoSpeech Vendor = "DoubaoSpeech"
)

// MediaVendors lists the vendors that serve images, video, speech or music, in a fixed order. Some of them are among [Vendors].
func MediaVendors() []Vendor {
	return []Vendor{Ark, Qwen, TokenHub, MiniMax, Zhipu, Tencent, Kling, Vidu, Mureka, DoubaoSpeech}
}

// mediaSim is a vendor's media.
type mediaSim struct {
	http.Handler
	*studio.Studio
	handles func(path string) bool
	// secrets are the entries of a credential's Secret.
	secrets map[string]string
}

// newMedia returns the media of all vendors.
func newMedia(opts Options) map[Vendor]mediaSim {
	o := studio.Options{Step: opts.TaskStep, Latency: opts.Latency, StallFor: opts.StallFor, KeepBodies: opts.KeepBodies, Now: opts.Now}
	key := func(k string) map[string]string { return map[string]string{"api-key": k} }
	ark, wan, hub, mini := arkmedia.New(o), dashscope.New(o), tokenhubmedia.New(o), minimaxmedia.New(o)
	zhipu, tc, kl, vi, mu, db := zhiputts.New(o), tencent.New(o), kling.New(o), vidu.New(o), mureka.New(o), doubao.New(o)
	return map[Vendor]mediaSim{
		Ark:      {ark, ark.Studio, arkmedia.Handles, key(ark.Key())},
		Qwen:     {wan, wan.Studio, dashscope.Handles, key(wan.Key())},
		TokenHub: {hub, hub.Studio, tokenhubmedia.Handles, key(hub.Key())},
		MiniMax:  {mini, mini.Studio, minimaxmedia.Handles, key(mini.Key())},
		Zhipu:    {zhipu, zhipu.Studio, zhiputts.Handles, key(zhipu.Key())},
		Tencent: {tc, tc.Studio, tencent.Handles, map[string]string{
			"access-key": tc.SecretID(), "secret-key": tc.SecretKey(),
		}},
		Kling:        {kl, kl.Studio, kling.Handles, key(kl.Key())},
		Vidu:         {vi, vi.Studio, vidu.Handles, key(vi.Key())},
		Mureka:       {mu, mu.Studio, mureka.Handles, key(mu.Key())},
		DoubaoSpeech: {db, db.Studio, doubao.Handles, key(db.Key())},
	}
}

// mount serves a vendor's media beside its chat, if it has any, under one root and with one key.
func (m mediaSim) mount(chat http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if chat != nil && !m.handles(r.URL.Path) {
			chat.ServeHTTP(w, r)
			return
		}
		m.Handler.ServeHTTP(w, r)
	})
}

// Media returns the books of a vendor's media; nil for one that [MediaVendors] does not list.
func (s *Server) Media(v Vendor) *studio.Studio { return s.media[v].Studio }

// Secrets returns the entries of a Secret that the vendor accepts. The map is the caller's.
func (s *Server) Secrets(v Vendor) map[string]string {
	if m, ok := s.media[v]; ok {
		return maps.Clone(m.secrets)
	}
	return map[string]string{"api-key": s.vendors[v].Key()}
}
