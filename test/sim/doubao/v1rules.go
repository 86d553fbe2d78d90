package doubao

import (
	"encoding/json"
	"net/http"
)

// check applies the rules of the large-model page. It takes V1 to speak 1.0 voices only: the vendor says that later ones need V3.
func (r *requestV1) check(appID string) *problem {
	invalid := bad(badV1)
	noApp := invalid("app.appid is required")
	noApp.certain = true
	return first(
		unless(r.App.AppID != "", noApp),
		unless(r.App.AppID == appID, grantNotFound()),
		unless(r.App.Token != "", invalid("app.token is required")),
		unless(r.App.Cluster != "", invalid("app.cluster is required")),
		unless(r.User.UID != "", invalid("user.uid is required")),
		r.checkVoice(),
		r.Audio.check(invalid),
		r.Request.check(invalid),
	)
}

// checkVoice wants the cluster that goes with the voice. The name of the cluster of cloned voices, and the code of the message
// about a wrong one, are unconfirmed.
func (r *requestV1) checkVoice() *problem {
	cluster := "volcano_tts"
	switch familyOf(r.Audio.VoiceType) {
	case unknownVoice, second20:
		return codeV1(3050)
	case cloned:
		cluster = "volcano_icl"
	}
	return unless(r.App.Cluster == cluster, &problem{code: 3031, text: r.Audio.VoiceType + ": Init Engine Instance failed",
		status: http.StatusInternalServerError})
}

func (a *audioV1) check(invalid rule) *problem {
	encoding := or(a.Encoding, "pcm")
	return first(
		oneOf(invalid, "audio.encoding", a.Encoding, "wav", "pcm", "ogg_opus", "mp3"),
		within(invalid, "audio.speed_ratio", a.SpeedRatio, 0.8, 2),
		within(invalid, "audio.loudness_ratio", a.LoudnessRatio, 0.5, 2),
		oneOf(invalid, "audio.rate", a.Rate, 8000, 16000, 24000),
		unless(a.Bitrate == nil || encoding == "mp3" && *a.Bitrate > 0, invalid("audio.bitrate is for mp3, in kbit/s")),
		unless(a.EnableEmotion || a.Emotion == nil && a.EmotionScale == nil, invalid("audio.emotion needs enable_emotion")),
		within(invalid, "audio.emotion_scale", a.EmotionScale, 1, 5),
	)
}

func (o *orderV1) check(invalid rule) *problem {
	return first(
		unless(o.Text != "", codeV1(3011)),
		unless(len(o.Text) <= maxTextV1, codeV1(3010)),
		unless(speakable(o.Text), codeV1(3011)),
		unless(o.Operation == "query", invalid("request.operation must be query")),
		oneOf(invalid, "request.text_type", o.TextType, "ssml"),
		within(invalid, "request.silence_duration", o.SilenceDuration, 0, 30000),
		unless(o.SilenceDuration == nil || o.TrailingSilence, invalid("request.silence_duration needs enable_trailing_silence_audio")),
		oneOf(invalid, "request.with_timestamp", o.WithTimestamp, 1),
		unless(isObject(o.ExtraParam), invalid("request.extra_param must be an object encoded as JSON in a string")),
	)
}

// isObject tells whether a string, if there is one, holds a JSON object.
func isObject(text *string) bool {
	var members map[string]json.RawMessage
	return text == nil || json.Unmarshal([]byte(*text), &members) == nil && members != nil
}
