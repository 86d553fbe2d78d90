package doubao

import (
	"net/http"
	"regexp"
	"slices"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// badV3 is the code of a bad parameter in V3.
const badV3 = 45000001

// The limits of a text. The vendor has an error for texts that are too long but tells no length; here 4096 characters, which
// lets pass whatever OpenAI's API allows. Of SSML 150 characters, tags included, are documented.
const maxTextV3, maxSSML = 4096, 150

type requestV3 struct {
	User struct {
		UID string `json:"uid"`
	} `json:"user"`
	Params paramsV3 `json:"req_params"`
}

// paramsV3 is the order. Mixed voices are left out: this account may not use them.
type paramsV3 struct {
	Text      *string `json:"text"`
	SSML      *string `json:"ssml"`
	Speaker   string  `json:"speaker"`
	Audio     audioV3 `json:"audio_params"`
	Additions *string `json:"additions"`
	Model     *string `json:"model"`
}

type audioV3 struct {
	Format          *string  `json:"format"`
	SampleRate      *int     `json:"sample_rate"`
	BitRate         *int     `json:"bit_rate"`
	Emotion         *string  `json:"emotion"`
	EmotionScale    *float64 `json:"emotion_scale"`
	SpeechRate      *int     `json:"speech_rate"`
	LoudnessRate    *int     `json:"loudness_rate"`
	EnableTimestamp bool     `json:"enable_timestamp"`
	EnableSubtitle  bool     `json:"enable_subtitle"`
}

// additions is what the string of that name holds. The vendor's list is longer; the types of some members are not documented.
type additions struct {
	SilenceDuration *int     `json:"silence_duration"`
	Language        *string  `json:"explicit_language"`
	KeepMarkdown    *bool    `json:"disable_markdown_filter"`
	MaxParenthesis  *int     `json:"max_length_to_filter_parenthesis"`
	ContextTexts    []string `json:"context_texts"`
	SectionID       *string  `json:"section_id"`
	PostProcess     struct {
		Pitch *int `json:"pitch"`
	} `json:"post_process"`
	CacheConfig    any      `json:"cache_config"`
	Watermark      any      `json:"aigc_watermark"`
	Unsupported    *float64 `json:"unsupported_char_ratio_thresh"`
	Pronunciations any      `json:"pronunciation_dict"`
}

// text is what is spoken and billed.
func (p *paramsV3) text() string { return or(p.SSML, or(p.Text, "")) }

// resource is what X-Api-Resource-Id names: which voices, and of which generation.
func resource(id string) (voices family, generation int) {
	switch id {
	case "seed-tts-2.0":
		return second20, 2
	case "seed-tts-1.0", "seed-tts-1.0-concurr", "volc.service_type.10029", "volc.service_type.10048":
		return first10, 1
	case "seed-icl-2.0":
		return cloned, 2
	case "seed-icl-1.0", "seed-icl-1.0-concurr", "volc.megatts.default", "volc.megatts.concurr":
		return cloned, 1
	}
	return unknownVoice, 0
}

// v3 serves both ways of V3.
func (x *exchange) v3() {
	var r requestV3
	x.Entry.Model = x.R.Header.Get("X-Api-Resource-Id")
	if p := first(x.authenticateV3(), x.checkHeader()); p != nil {
		x.refuseV3(p)
		return
	}
	if err := x.decode(&r); err != nil {
		x.refuseV3(bad(badV3)("%s", err))
		return
	}
	if p := r.check(x.Entry.Model); p != nil {
		x.refuseV3(p)
		return
	}
	mode := nearest(x.Mode(r.Params.text()))
	if x.fails(mode, problemV3(mode), x.refuseV3) || !x.Work() {
		return
	}
	// A character is a character, white space and punctuation included. What the vendor itself breaks off is taken to be free.
	units := int64(utf8.RuneCountInString(r.Params.text()))
	if mode != studio.NoAudio && mode != studio.MidStream {
		x.Bill(studio.Charge{ID: x.logID, Kind: studio.Speech, Model: x.Entry.Model, Units: units})
	}
	if mode == studio.Lost {
		x.Abort()
	}
	x.streamV3(&r.Params, mode, units)
}

// authenticateV3 accepts the key of the new console or the app and token of the old one. Both at once are refused: the reference
// describes alternatives.
func (x *exchange) authenticateV3() *problem {
	h := x.R.Header
	key, app, token := h.Get("X-Api-Key"), h.Get("X-Api-App-Id"), h.Get("X-Api-Access-Key")
	switch {
	case key == "" && app == "":
		return &problem{code: 45000000, text: "app key not found in header or query", status: http.StatusUnauthorized}
	case key != "" && (app != "" || token != ""):
		return bad(badV3)("X-Api-Key and X-Api-App-Id exclude each other")
	case key != "" && key != x.sim.Key():
		return codeV3(45000010)
	case key == "" && (app != x.sim.AppID() || token != x.sim.AccessToken()):
		return &problem{code: 45000000, text: "load grant: requested grant not found: access denied", status: http.StatusUnauthorized}
	}
	return nil
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// checkHeader takes the newest page, on which the request's id is required.
func (x *exchange) checkHeader() *problem {
	voices, _ := resource(x.Entry.Model)
	return first(
		unless(voices != unknownVoice, bad(badV3)("X-Api-Resource-Id %q", x.Entry.Model)),
		unless(uuid.MatchString(x.R.Header.Get("X-Api-Request-Id")), bad(badV3)("X-Api-Request-Id must be a UUID")),
		unless(slices.Contains([]string{"", "*", "text_words"}, x.R.Header.Get(usageHeader)), bad(badV3)(usageHeader)),
	)
}

// check applies the rules of the reference.
func (r *requestV3) check(resourceID string) *problem {
	p, invalid := &r.Params, bad(badV3)
	_, generation := resource(resourceID)
	return first(
		unless(r.User.UID != "", invalid("user.uid is required")),
		p.checkText(generation),
		p.checkSpeaker(resourceID),
		p.Audio.check(generation),
		p.checkAdditions(generation),
	)
}

func (p *paramsV3) checkText(generation int) *problem {
	invalid, long := bad(badV3), &problem{code: 40402003, text: "TTSExceededTextLimit:exceed max limit", status: http.StatusBadRequest}
	return first(
		unless((p.Text == nil) != (p.SSML == nil), invalid("either text or ssml is required")),
		unless(p.SSML == nil || generation == 1, invalid("ssml is not supported by this voice")),
		unless(utf8.RuneCountInString(or(p.SSML, "")) <= maxSSML, long),
		unless(utf8.RuneCountInString(or(p.Text, "")) <= maxTextV3, long),
		unless(speakable(p.text()), codeV3(45002001)),
	)
}

// checkSpeaker refuses unknown voices as it refuses those of others.
func (p *paramsV3) checkSpeaker(resourceID string) *problem {
	voices, generation := resource(resourceID)
	voice := familyOf(p.Speaker)
	return first(
		unless(p.Speaker != "", bad(badV3)("speaker not found")),
		unless(voice != unknownVoice, accessDenied()),
		unless(voice == voices, &problem{code: 55000000, text: "resource ID is mismatched with speaker related resource",
			status: http.StatusForbidden}),
		oneOf(bad(badV3), "InvalidModel: model", p.Model, "seed-tts-2.0-standard", "seed-tts-2.0-expressive"),
		unless(p.Model == nil || voice == cloned && generation == 2, bad(badV3)("InvalidModel: model is for cloned 2.0 voices")),
	)
}

// check takes the stricter page for ogg_opus, which must be of 48000 Hz. Of wav the table of formats says nothing and another
// page that it works, with a header in front of every piece.
func (a *audioV3) check(generation int) *problem {
	invalid, format, rate := bad(badV3), or(a.Format, "mp3"), or(a.SampleRate, 24000)
	return first(
		oneOf(invalid, "format", a.Format, "mp3", "ogg_opus", "pcm", "wav"),
		oneOf(invalid, "sample_rate", a.SampleRate, 8000, 16000, 22050, 24000, 32000, 44100, 48000),
		unless(format != "ogg_opus" || rate == 48000, invalid("sample_rate of ogg_opus must be 48000")),
		within(invalid, "bit_rate", a.BitRate, 64000, 160000),
		within(invalid, "emotion_scale", a.EmotionScale, 1, 5),
		unless(a.EmotionScale == nil || a.Emotion != nil, invalid("emotion_scale needs emotion")),
		within(invalid, "speech_rate", a.SpeechRate, -50, 100),
		within(invalid, "loudness_rate", a.LoudnessRate, -50, 100),
		unless(!a.EnableTimestamp || generation == 1, invalid("enable_timestamp is for 1.0 voices")),
		unless(!a.EnableSubtitle || generation == 2, invalid("enable_subtitle is for 2.0 voices")),
	)
}

func (p *paramsV3) checkAdditions(generation int) *problem {
	if p.Additions == nil {
		return nil
	}
	invalid := bad(badV3)
	var a additions
	if err := strict([]byte(*p.Additions), &a); err != nil || !isObject(p.Additions) {
		return invalid("additions must be an object encoded as JSON in a string: %v", err)
	}
	return first(
		within(invalid, "additions.silence_duration", a.SilenceDuration, 0, 30000),
		unless(or(a.MaxParenthesis, 0) >= 0, invalid("additions.max_length_to_filter_parenthesis")),
		unless(a.ContextTexts == nil || generation == 2, invalid("additions.context_texts is for 2.0 voices")),
		within(invalid, "additions.post_process.pitch", a.PostProcess.Pitch, -12, 12),
		within(invalid, "additions.unsupported_char_ratio_thresh", a.Unsupported, 0, 1),
	)
}
