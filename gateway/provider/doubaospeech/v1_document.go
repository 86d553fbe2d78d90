package doubaospeech

import (
	"encoding/base64"
	"io"
	"net/http"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// successV1 is the code of V1 that is no failure.
const successV1 = "3000"

// document is the audio of an answer of V1, which comes in one piece.
type document struct {
	body io.Reader
	// answer is the header of the answer, for ids.
	answer http.Header
	read   bool
}

// Usage implements provider.SpeechStream. V1 tells none.
func (*document) Usage() provider.Usage { return provider.Usage{} }

// Next implements provider.SpeechStream.
func (d *document) Next() ([]byte, error) {
	if d.read {
		return nil, io.EOF
	}
	raw, err := readAll(d.body)
	if err != nil {
		return nil, err
	}
	audio, err := d.decode(raw)
	if err != nil {
		return nil, err
	}
	d.read = true
	return audio, nil
}

// decode reads the whole answer. A negative sequence marks the last piece, which the only one must be.
func (d *document) decode(raw []byte) ([]byte, error) {
	var v value
	switch ok := v.parse(raw); {
	case !ok:
		return nil, badResponse(d.answer, "not_json", "The answer is not a JSON object.")
	case len(v.code) == 0:
		return nil, badResponse(d.answer, "no_code", "The answer has no code.")
	case string(v.code) != successV1:
		return nil, failure(http.StatusOK, d.answer, raw)
	case len(v.sequence) > 0 && v.sequence[0] != '-':
		return nil, badResponse(d.answer, "truncated", "The answer is not the last piece of the speech.")
	}
	digits, err := audioText(d.answer, v.data)
	if err != nil {
		return nil, err
	}
	audio, err := base64.StdEncoding.AppendDecode(nil, digits)
	switch {
	case err != nil:
		return nil, badResponse(d.answer, "bad_audio", "The audio is not base64.")
	case len(audio) == 0:
		return nil, noAudio(d.answer)
	}
	return audio, nil
}
