package zhiputts

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxInput is the limit of an input in Unicode characters.
const maxInput = 1024

// ClonedVoice is a cloned voice of the account.
const ClonedVoice = "voice_clone_20261115_simulated"

type request struct {
	Model          string         `json:"model"`
	Input          string         `json:"input"`
	Voice          *string        `json:"voice"`
	ResponseFormat *string        `json:"response_format"`
	Speed          *float64       `json:"speed"`
	Volume         *float64       `json:"volume"`
	Stream         bool           `json:"stream"`
	EncodeFormat   *string        `json:"encode_format"`
	Watermark      *bool          `json:"watermark_enabled"`
	SensitiveCheck map[string]any `json:"sensitive_word_check"`
	RequestID      *string        `json:"request_id"`
	UserID         *string        `json:"user_id"`
}

// or returns the value, or what holds without one.
func or[T any](v *T, unset T) T {
	if v == nil {
		return unset
	}
	return *v
}

// first returns the first problem among several, or nil.
func first(problems ...*problem) *problem {
	for _, p := range problems {
		if p != nil {
			return p
		}
	}
	return nil
}

// unless returns the problem if the condition does not hold.
func unless(ok bool, p *problem) *problem {
	if ok {
		return nil
	}
	return p
}

// oneOf refuses any other value; nil is no value.
func oneOf(name string, v *string, allowed ...string) *problem {
	return unless(v == nil || slices.Contains(allowed, *v), outOfRange(name, fmt.Sprintf("%v", allowed)))
}

// check applies the rules of the reference. The older name of the model, cogtts, is taken to be gone. Which of the parameter codes
// goes with which mistake is not documented.
func (r *request) check(unmarked bool) *problem {
	return first(
		unless(r.Model != "", missing("model")),
		unless(r.Model == "glm-tts", coded("1211")),
		unless(strings.TrimSpace(r.Input) != "", missing("input")),
		unless(utf8.RuneCountInString(r.Input) <= maxInput, outOfRange("input", fmt.Sprintf("at most %d characters", maxInput))),
		oneOf("voice", r.Voice, "tongtong", "chuichui", "xiaochen", "jam", "kazi", "douji", "luodo", ClonedVoice),
		oneOf("response_format", r.ResponseFormat, "wav", "pcm"),
		unless(!r.Stream || or(r.ResponseFormat, "pcm") == "pcm", outOfRange("response_format", "a stream is pcm")),
		unless(or(r.Speed, 1) >= 0.5 && or(r.Speed, 1) <= 2, outOfRange("speed", "from 0.5 to 2")),
		unless(or(r.Volume, 1) > 0 && or(r.Volume, 1) <= 10, outOfRange("volume", "above 0 and at most 10")),
		oneOf("encode_format", r.EncodeFormat, "base64", "hex"),
		unless(r.Stream || r.EncodeFormat == nil, invalid("encode_format needs stream")),
		unless(unmarked || or(r.Watermark, true), invalid("watermark_enabled: this account needs the watermark")),
		unless(or(r.RequestID, "x") != "", invalid("request_id is empty")),
		unless(or(r.UserID, "x") != "", invalid("user_id is empty")),
	)
}
