package doubao

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// maxTextV1 is the limit of a text in bytes of UTF-8.
const maxTextV1 = 1024

type requestV1 struct {
	App struct {
		AppID   string `json:"appid"`
		Token   string `json:"token"`
		Cluster string `json:"cluster"`
	} `json:"app"`
	User struct {
		UID string `json:"uid"`
	} `json:"user"`
	Audio   audioV1 `json:"audio"`
	Request orderV1 `json:"request"`
}

type audioV1 struct {
	VoiceType        string   `json:"voice_type"`
	Encoding         *string  `json:"encoding"`
	SpeedRatio       *float64 `json:"speed_ratio"`
	LoudnessRatio    *float64 `json:"loudness_ratio"`
	Rate             *int     `json:"rate"`
	Bitrate          *int     `json:"bitrate"`
	EnableEmotion    bool     `json:"enable_emotion"`
	Emotion          *string  `json:"emotion"`
	EmotionScale     *float64 `json:"emotion_scale"`
	ExplicitLanguage *string  `json:"explicit_language"`
	ContextLanguage  *string  `json:"context_language"`
}

type orderV1 struct {
	ReqID           string  `json:"reqid"`
	Text            string  `json:"text"`
	Operation       string  `json:"operation"`
	TextType        *string `json:"text_type"`
	SilenceDuration *int    `json:"silence_duration"`
	TrailingSilence bool    `json:"enable_trailing_silence_audio"`
	WithTimestamp   *int    `json:"with_timestamp"`
	ExtraParam      *string `json:"extra_param"`
}

// answerV1 is both kinds of answer.
type answerV1 struct {
	ReqID     string         `json:"reqid"`
	Code      int            `json:"code"`
	Message   string         `json:"message"`
	Operation string         `json:"operation,omitempty"`
	Sequence  int            `json:"sequence"`
	Data      string         `json:"data"`
	Addition  map[string]any `json:"addition,omitempty"`
}

// v1 serves POST /api/v1/tts.
func (x *exchange) v1() {
	var r requestV1
	refuse := func(p *problem) { x.refuseV1(r.Request.ReqID, p) }
	if p := x.authenticateV1(); p != nil {
		refuse(p)
		return
	}
	if err := x.decode(&r); err != nil {
		refuse(bad(badV1)("%s", err))
		return
	}
	x.Entry.Model = r.App.Cluster
	if p := first(x.sim.useOnce(r.Request.ReqID), r.check(x.sim.AppID())); p != nil {
		refuse(p)
		return
	}
	mode := nearest(x.Mode(r.Request.Text))
	if mode == studio.MidStream {
		mode = studio.ServerError // there is no stream
	}
	if x.fails(mode, x.problemV1(mode), refuse) || !x.Work() {
		return
	}
	if mode != studio.NoAudio {
		// A character is a character, white space and punctuation included.
		units := int64(utf8.RuneCountInString(r.Request.Text))
		x.Bill(studio.Charge{ID: x.logID, Kind: studio.Speech, Model: x.Entry.Model, Units: units})
	}
	if mode == studio.Lost {
		x.Abort()
	}
	x.replyV1(&r, mode)
}

func (x *exchange) authenticateV1() *problem {
	if token, ok := x.Bearer("Bearer;"); !ok || token != x.sim.AccessToken() {
		return grantNotFound()
	}
	return nil
}

// useOnce takes a reqid, whatever becomes of the request: the vendor refuses it again after success and after failure.
func (s *Simulator) useOnce(reqid string) *problem {
	if reqid == "" {
		return bad(badV1)("request.reqid is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reqids[reqid] {
		return codeV1(3006)
	}
	s.reqids[reqid] = true
	return nil
}

// audioMark stands for the audio of an answer that is written in pieces.
const audioMark = "@audio@"

// replyV1 answers in one document. A truncated one ends properly, in the middle of the JSON.
func (x *exchange) replyV1(r *requestV1, mode studio.Mode) {
	encoding := or(r.Audio.Encoding, "pcm")
	c := newClip(encoding, or(r.Audio.Rate, 24000), r.Request.Text)
	answer := answerV1{ReqID: r.Request.ReqID, Code: 3000, Message: "Success", Operation: r.Request.Operation, Sequence: -1,
		Data: audioMark, Addition: map[string]any{"duration": strconv.FormatInt(c.length().Milliseconds(), 10)}}
	if mode == studio.NoAudio {
		answer.Data = ""
		x.JSON(http.StatusOK, answer)
		return
	}
	var header []byte
	if encoding == "wav" {
		header = c.header(c.size)
	}
	x.spell(answer, header, c, mode)
}

// spell sends an answer whose audio is written in pieces, encoded as one.
func (x *exchange) spell(answer answerV1, header []byte, c clip, mode studio.Mode) {
	head, tail, _ := strings.Cut(string(encode(answer)), audioMark)
	if !x.Chunk(typeJSON, head) {
		return
	}
	sent, carry := 0, header
	for piece := range c.pieces() {
		if sent > c.size/2 && mode == studio.Truncated {
			return
		}
		carry = append(carry, piece...)
		whole := len(carry) / 3 * 3
		if !x.Chunk(typeJSON, base64.StdEncoding.EncodeToString(carry[:whole])) {
			return
		}
		carry = carry[:copy(carry, carry[whole:])]
		sent += len(piece)
	}
	if mode != studio.Truncated {
		x.Chunk(typeJSON, base64.StdEncoding.EncodeToString(carry)+tail)
	}
}
