package doubao

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// problem is why a request is refused. The HTTP status of most of them is not documented; the one given here takes turns with
// 200, unless it is certain.
type problem struct {
	code    int
	text    string
	status  int
	certain bool
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

// rule makes the problem of a bad parameter; V1 and V3 have a code each.
type rule func(format string, args ...any) *problem

func bad(code int) rule {
	return func(format string, args ...any) *problem {
		return &problem{code: code, text: "Invalid argument: " + fmt.Sprintf(format, args...), status: http.StatusBadRequest}
	}
}

// within refuses a value outside [lo, hi]; nil is no value.
func within[T cmp.Ordered](invalid rule, name string, v *T, lo, hi T) *problem {
	return unless(v == nil || *v >= lo && *v <= hi, invalid("%s must be between %v and %v", name, lo, hi))
}

// oneOf refuses any other value; nil is no value.
func oneOf[T comparable](invalid rule, name string, v *T, allowed ...T) *problem {
	return unless(v == nil || slices.Contains(allowed, *v), invalid("%s must be one of %v", name, allowed))
}

// or returns the value, or what holds without one.
func or[T any](v *T, unset T) T {
	if v == nil {
		return unset
	}
	return *v
}

func speakable(text string) bool {
	return strings.ContainsFunc(text, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsNumber(c) })
}

// family is what a voice belongs to.
type family int

const (
	unknownVoice family = iota
	first10             // voices of model 1.0
	second20            // voices of model 2.0
	cloned              // voices that the account has cloned
)

// ClonedVoice is a cloned voice of the account. Another S_ voice is somebody else's.
const ClonedVoice = "S_simclone01"

// familyOf knows a few of the vendor's voices.
func familyOf(voice string) family {
	switch voice {
	case "zh_female_vv_uranus_bigtts", "zh_female_xiaohe_uranus_bigtts", "zh_male_m191_uranus_bigtts", "en_male_tim_uranus_bigtts",
		"saturn_zh_female_cancan_tob", "ICL_uranus_zh_female_sim_tob":
		return second20
	case "zh_female_shuangkuaisisi_moon_bigtts", "zh_male_wennuanahu_moon_bigtts", "zh_female_cancan_mars_bigtts",
		"zh_male_M392_conversation_wvae_bigtts":
		return first10
	case ClonedVoice:
		return cloned
	}
	return unknownVoice
}

// fails plays the failures that leave no effect, and says whether it did. What no simulator knows is answered with 501, so that
// a misspelt test does not pass.
func (x *exchange) fails(mode studio.Mode, refusal *problem, refuse func(*problem)) bool {
	switch mode {
	case "", studio.Lost, studio.Truncated, studio.NoAudio, studio.MidStream:
		return false
	}
	if refusal != nil {
		refuse(refusal)
	} else if !x.Play(mode) {
		x.Text(http.StatusNotImplemented, "text/plain", "the simulator knows no failure mode "+string(mode))
	}
	return true
}

// nearest gives the modes that mean nothing here the nearest meaning.
func nearest(mode studio.Mode) studio.Mode {
	switch mode {
	case studio.PartialOutput:
		return studio.Truncated
	case studio.TaskStuck:
		return studio.Stall
	case studio.TaskSlow:
		return ""
	case studio.TaskFailed:
		return studio.ServerError
	case studio.ModerationOutput:
		return studio.Moderation
	case studio.RateLimit:
		return studio.Concurrency // the vendor's only limit
	}
	return mode
}
