package doubaospeech

import (
	"context"
	"net/http"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// pathV1 is where V1 speaks.
const pathV1 = "/api/v1/tts"

// What V1 takes: a text is measured in bytes of UTF-8.
const (
	minSpeedV1 = 0.8
	maxBytesV1 = 1024
)

// newRequestV1 builds a call of V1.
func newRequestV1(ctx context.Context, up *provider.Upstream, in *provider.SpeechRequest) (*http.Request, error) {
	if err := checkV1(in); err != nil {
		return nil, err
	}
	app, token := secret(up, appEntry), secret(up, tokenEntry)
	if app == "" || token == "" {
		return nil, missing(errCredentialV1)
	}
	req, err := newCall(ctx, pathV1, up, bodyV1(app, up, in))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer;"+token) // a semicolon and no blank, as the vendor wants it
	return req, nil
}

// checkV1 refuses what V1 does not take.
func checkV1(in *provider.SpeechRequest) error {
	if err := checkCommon(in, minSpeedV1); err != nil {
		return err
	}
	switch {
	case len(in.Input) > maxBytesV1:
		return provider.Invalid("input", "Doubao takes texts of at most %d bytes in UTF-8, not %d.", maxBytesV1, len(in.Input))
	case in.Instructions != "":
		return provider.Invalid("instructions", "Doubao takes no instructions here. Leave instructions out.")
	}
	return nil
}

// bodyV1 translates a request that was checked. The vendor refuses an id that it has seen before, also of a call that failed, so it is
// that of the attempt; the token within the body is not looked at.
func bodyV1(app string, up *provider.Upstream, in *provider.SpeechRequest) provider.Body {
	b := provider.Body{
		"app":  provider.Body{"appid": app, "token": caller, "cluster": clusterOf(up.Model, in.Voice)},
		"user": provider.Body{"uid": caller},
		"audio": provider.Body{
			"voice_type": in.Voice, "encoding": encodingOf(in.Format), "rate": usualRate, "speed_ratio": in.Speed,
		},
		"request": provider.Body{"reqid": in.ID, "text": in.Input, "operation": "query"},
	}
	up.Parameters.Override(b)
	return b
}
