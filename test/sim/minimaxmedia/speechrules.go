package minimaxmedia

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is the limit of a text in Unicode characters; a text must be shorter.
const maxText = 10000

// check applies the rules of the reference, and its defaults: mp3, 32000 Hz, 128 kbit/s, one channel.
func (r *speechRequest) check() *refusal {
	return first(
		oneOf("model", &r.Model, "speech-2.8-hd", "speech-2.8-turbo", "speech-2.6-hd", "speech-2.6-turbo", "speech-02-hd",
			"speech-02-turbo", "speech-01-hd", "speech-01-turbo"),
		checkText(r.Text),
		r.VoiceSetting.check(r.Model),
		r.checkWho(),
		r.checkAudio(),
		r.checkDelivery(),
		r.checkManner(),
	)
}

// invisible is the share of characters that print nothing. Which ones the vendor counts is not documented; here none of the
// white ones.
func invisible(text string) float64 {
	n := 0
	for _, c := range text {
		if c == utf8.RuneError || !unicode.IsPrint(c) && !unicode.IsSpace(c) {
			n++
		}
	}
	return float64(n) / float64(max(utf8.RuneCountInString(text), 1))
}

// checkText counts Unicode characters.
func checkText(text string) *refusal {
	switch {
	case strings.TrimSpace(text) == "":
		return invalid("text is empty")
	case utf8.RuneCountInString(text) >= maxText:
		return invalid("text must be shorter than %d characters", maxText)
	case invisible(text) > 0.1:
		return refused(1042)
	case badPause(text):
		return invalid("a pause is written <#x#> with x from 0.01 to 99.99, between two parts that can be spoken")
	}
	return nil
}

var pauseMark = regexp.MustCompile(`<#([^#<>]*)#>`)

func badPause(text string) bool {
	marks, end := pauseMark.FindAllStringSubmatchIndex(text, -1), 0
	for _, m := range marks {
		seconds, err := strconv.ParseFloat(text[m[2]:m[3]], 64)
		inRange := seconds >= 0.01 && seconds <= 99.99 // also false for NaN
		if err != nil || !inRange || !speakable(text[end:m[0]]) {
			return true
		}
		end = m[1]
	}
	return len(marks) > 0 && !speakable(text[end:])
}

func speakable(text string) bool {
	return strings.ContainsFunc(text, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsNumber(c) })
}

// check takes the stricter page: fluent on 2.6 only, and no neutral, which older pages list.
func (v *voiceSetting) check(model string) *refusal {
	emotions := []string{"happy", "sad", "angry", "fearful", "disgusted", "surprised", "calm"}
	switch {
	case strings.HasPrefix(model, "speech-2.6-"):
		emotions = append(emotions, "fluent", "whisper")
	case !strings.HasPrefix(model, "speech-2.8-"):
		emotions = append(emotions, "whisper")
	}
	return first(
		within("voice_setting.speed", v.Speed, 0.5, 2),
		unless(or(v.Vol, 1) > 0 && or(v.Vol, 1) <= 10, "voice_setting.vol must be above 0 and at most 10"),
		within("voice_setting.pitch", v.Pitch, -12, 12),
		oneOf("voice_setting.emotion", v.Emotion, emotions...),
	)
}

// ClonedVoice is a voice of the account. ForeignVoice is one of another account.
const (
	ClonedVoice  = "SimClonedVoice01"
	ForeignVoice = "SomebodyElsesVoice01"
)

func checkVoice(id string) *refusal {
	switch {
	case id == ForeignVoice:
		return refused(2042)
	case !slices.Contains([]string{"male-qn-qingse", "female-shaonv", "female-tianmei", "English_expressive_narrator",
		"English_Graceful_Lady", "Wise_Woman", "Chinese (Mandarin)_Lyrical_Voice", ClonedVoice}, id):
		return refused(20132)
	}
	return nil
}

// checkWho wants one voice or a mixture, not both: the reference calls them alternatives.
func (r *speechRequest) checkWho() *refusal {
	mixture := slices.Concat(r.TimbreWeights, r.TimberWeights)
	if len(mixture) == 0 {
		return first(unless(r.VoiceSetting.VoiceID != "", "voice_setting.voice_id is required"), checkVoice(r.VoiceSetting.VoiceID))
	}
	p := first(
		unless(r.VoiceSetting.VoiceID == "", "voice_id and timbre_weights exclude each other"),
		unless(len(mixture) <= 4, "timbre_weights: at most 4"),
	)
	for _, t := range mixture {
		p = first(p, within("timbre_weights.weight", &t.Weight, 1, 100), checkVoice(t.VoiceID))
	}
	return p
}

// checkAudio applies the rules of the format. Bitrate with another format than mp3 is ignored by the vendor at best.
func (r *speechRequest) checkAudio() *refusal {
	a, formats := r.AudioSetting, []string{"mp3", "pcm", "flac", "wav"}
	if r.newFormats {
		formats = append(formats, "opus", "pcmu_raw", "pcmu_wav")
	}
	return first(
		oneOf("audio_setting.format", a.Format, formats...),
		oneOf("audio_setting.sample_rate", a.SampleRate, 8000, 16000, 22050, 24000, 32000, 44100),
		oneOf("audio_setting.bitrate", a.Bitrate, 32000, 64000, 128000, 256000),
		oneOf("audio_setting.channel", a.Channel, 1, 2),
		unless(a.Bitrate == nil || r.format() == "mp3", "audio_setting.bitrate is for mp3"),
		unless(a.ForceCBR == nil || r.Stream && r.format() == "mp3", "audio_setting.force_cbr is for streamed mp3"),
	)
}

// checkDelivery applies the rules of streaming. Subtitles of a stream are taken to need the newest models, because older ones
// have them for whole answers only and the reference does not say where older ends.
func (r *speechRequest) checkDelivery() *refusal {
	wordStream := or(r.SubtitleType, "") == "word_streaming"
	return first(
		oneOf("output_format", r.OutputFormat, "hex", "url"),
		oneOf("subtitle_type", r.SubtitleType, "sentence", "word", "word_streaming"),
		unless(r.Stream || r.StreamOptions == nil, "stream_options needs stream"),
		unless(!r.Stream || r.format() != "wav" && r.format() != "pcmu_wav", "wav is not supported with stream"),
		unless(!r.Stream || or(r.OutputFormat, "hex") == "hex", "output_format url is not supported with stream"),
		unless(!r.Stream || r.Watermark == nil, "aigc_watermark is not supported with stream"),
		unless(!r.Stream || !r.SubtitleEnable || strings.HasPrefix(r.Model, "speech-2.8-"), "%s has no subtitles with stream", r.Model),
		unless(r.SubtitleEnable || r.SubtitleType == nil, "subtitle_type needs subtitle_enable"),
		unless(r.Stream || !wordStream, "subtitle_type word_streaming needs stream"),
	)
}

// checkManner applies the rules of language, pronunciation and effects.
func (r *speechRequest) checkManner() *refusal {
	p := oneOf("language_boost", r.LanguageBoost, strings.Split("auto;Chinese;Chinese,Yue;English;Arabic;Russian;Spanish;French;"+
		"Portuguese;German;Turkish;Dutch;Ukrainian;Vietnamese;Indonesian;Japanese;Italian;Korean;Thai;Polish;Romanian;Greek;Czech;"+
		"Finnish;Hindi;Bulgarian;Danish;Hebrew;Malay;Persian;Slovak;Swedish;Croatian;Filipino;Hungarian;Norwegian;Slovenian;"+
		"Catalan;Nynorsk;Tamil;Afrikaans", ";")...)
	for _, tone := range r.PronunciationDict.Tone {
		source, replacement, _ := strings.Cut(tone, "/")
		p = first(p, unless(source != "" && replacement != "", "pronunciation_dict.tone: want source/replacement"))
	}
	m := r.VoiceModify
	if m == nil {
		return p
	}
	formats := []string{"mp3", "wav", "flac"}
	if r.Stream {
		formats = formats[:1]
	}
	return first(p,
		within("voice_modify.pitch", m.Pitch, -100, 100),
		within("voice_modify.intensity", m.Intensity, -100, 100),
		within("voice_modify.timbre", m.Timbre, -100, 100),
		oneOf("voice_modify.sound_effects", m.Effects, "spacious_echo", "auditorium_echo", "lofi_telephone", "robotic"),
		unless(slices.Contains(formats, r.format()), "voice_modify is not supported with %s here", r.format()),
	)
}
