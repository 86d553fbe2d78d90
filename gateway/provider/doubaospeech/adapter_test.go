package doubaospeech

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// The credentials of the tests. They must not turn up anywhere but where the vendor wants them.
const (
	key   = "5e1f0a52-51d0-4f00-9d0b-0123456789ab"
	app   = "6912345678"
	token = "t0ken-0a51c0de51c04a51"
)

// An id of an attempt, and voices of each kind.
const (
	attempt = "0f9bd6a3-2a5c-4c8e-9a46-3f0f6d3d6d11"
	voice2  = "zh_female_vv_uranus_bigtts"
	voice1  = "zh_female_cancan_mars_bigtts"
	cloned  = "S_abc123"
)

// upstream is a target of the vendor with all entries of which a credential may have some.
func upstream(protocol, model string, entries ...string) *provider.Upstream {
	all := map[string]string{"api-key": key, "app-id": app, "access-token": token}
	secrets := map[string]provider.Secret{}
	for _, e := range entries {
		secrets[e] = provider.NewSecret(all[e] + "\n")
	}
	return &provider.Upstream{
		Endpoint: "https://openspeech.bytedance.com", Protocol: protocol, Model: model, Secrets: secrets, Header: http.Header{},
	}
}

// v3 is a target of V3 with a key, v1 one of V1.
func v3() *provider.Upstream { return upstream("V3", "doubao-tts", "api-key") }
func v1() *provider.Upstream { return upstream("V1", "doubao-tts", "app-id", "access-token") }

// request is a client's request for speech.
func request(change func(*provider.SpeechRequest)) *provider.SpeechRequest {
	in := &provider.SpeechRequest{Input: "你好.", Voice: voice2, Format: provider.FormatMP3, Speed: 1, ID: attempt}
	if change != nil {
		change(in)
	}
	return in
}

// build makes a request of the vendor.
func build(t *testing.T, up *provider.Upstream, in *provider.SpeechRequest) *http.Request {
	t.Helper()
	req, err := Adapter().Speech.NewRequest(t.Context(), up, in)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// bodyOf reads what a request would send.
func bodyOf(t *testing.T, req *http.Request) string {
	t.Helper()
	raw, err := io.ReadAll(req.Body)
	if err != nil || req.ContentLength != int64(len(raw)) {
		t.Fatalf("%d bytes, %v; ContentLength = %d", len(raw), err, req.ContentLength)
	}
	return string(raw)
}

// errorOf returns an error as what it has to be.
func errorOf(t *testing.T, err error) *provider.Error {
	t.Helper()
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		t.Fatalf("error = %v, want a *provider.Error", err)
	}
	return e
}

// hear reads all of the audio.
func hear(s provider.SpeechStream) ([]byte, provider.Usage, error) {
	var audio []byte
	for {
		piece, err := s.Next()
		switch {
		case errors.Is(err, io.EOF):
			return audio, s.Usage(), nil
		case err != nil:
			return audio, s.Usage(), err
		case len(piece) == 0:
			return audio, s.Usage(), errors.New("an empty piece")
		}
		audio = append(audio, piece...)
	}
}

func TestInfo(t *testing.T) {
	t.Parallel()
	a := Adapter()
	want := provider.Info{
		Name: "DoubaoSpeech", Regions: []provider.Region{{Name: "cn", Endpoint: "https://openspeech.bytedance.com"}},
		Entries: [][]string{{"api-key"}, {"app-id", "access-token"}}, Protocols: []string{"V3", "V1"},
		Modalities: []provider.Modality{provider.ModalitySpeech},
	}
	if diff := cmp.Diff(want, a.Info); diff != "" {
		t.Errorf("info (-want +got):\n%s", diff)
	}
	if a.Speech == nil || a.Chat != nil || a.Image != nil || a.Video != nil || a.Music != nil {
		t.Errorf("adapter = %+v, want speech alone", a)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	common := func(more http.Header) http.Header {
		more["Content-Type"], more["User-Agent"], more["X-Team"] = []string{"application/json"}, []string{"vipcloud"}, []string{"platform"}
		return more
	}
	v3Header := func(more http.Header) http.Header {
		more["Accept"], more["X-Api-Request-Id"] = []string{"text/event-stream"}, []string{attempt}
		more["X-Api-Resource-Id"], more["X-Control-Require-Usage-Tokens-Return"] = []string{"seed-tts-2.0"}, []string{"text_words"}
		return common(more)
	}
	tests := map[string]struct {
		up     *provider.Upstream
		path   string
		header http.Header
	}{
		"V3, new console": {v3(), "/api/v3/tts/unidirectional/sse", v3Header(http.Header{"X-Api-Key": {key}})},
		"V3, old console": {
			upstream("V3", "doubao-tts", "app-id", "access-token"), "/api/v3/tts/unidirectional/sse",
			v3Header(http.Header{"X-Api-App-Id": {app}, "X-Api-Access-Key": {token}}),
		},
		"V3, both": {
			upstream("V3", "doubao-tts", "api-key", "app-id", "access-token"), "/api/v3/tts/unidirectional/sse",
			v3Header(http.Header{"X-Api-Key": {key}}),
		},
		"the default is V3": {upstream("", "doubao-tts", "api-key"), "/api/v3/tts/unidirectional/sse", v3Header(http.Header{"X-Api-Key": {key}})},
		"V1":                {v1(), "/api/v1/tts", common(http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer;" + token}})},
		"V1, both": {
			upstream("V1", "doubao-tts", "api-key", "app-id", "access-token"), "/api/v1/tts",
			common(http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer;" + token}}),
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, slash := range []string{"", "/"} {
				tc.up.Endpoint = "https://proxy.example.com/doubao" + slash
				tc.up.Header.Set("X-Team", "platform")
				type mark struct{}
				req, err := Adapter().Speech.NewRequest(context.WithValue(t.Context(), mark{}, true), tc.up, request(nil))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tc.header, req.Header); diff != "" {
					t.Errorf("header (-want +got):\n%s", diff)
				}
				want := "https://proxy.example.com/doubao" + tc.path
				if req.Method != http.MethodPost || req.URL.String() != want || req.Context().Value(mark{}) == nil {
					t.Errorf("call = %s %s, want POST %s with the caller's context", req.Method, req.URL, want)
				}
			}
		})
	}
}

func TestCredentialThatIsIncomplete(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		up     *provider.Upstream
		reason string // what is in the error
	}{
		"V1 with a key alone": {upstream("V1", "doubao-tts", "api-key"), "V1 needs app-id and access-token"},
		"V1 without a token":  {upstream("V1", "doubao-tts", "app-id"), "V1 needs app-id and access-token"},
		"V1 with nothing":     {upstream("V1", "doubao-tts"), "V1 needs app-id and access-token"},
		"V3 without a token":  {upstream("V3", "doubao-tts", "app-id"), "neither api-key nor app-id with access-token"},
		"V3 without an app":   {upstream("V3", "doubao-tts", "access-token"), "neither api-key nor app-id with access-token"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Adapter().Speech.NewRequest(t.Context(), tc.up, request(nil))
			e := errorOf(t, err)
			if e.Class != provider.ClassUnauthorized || e.Code != "credential_incomplete" || !strings.Contains(e.Error(), tc.reason) {
				t.Errorf("error = %v, want one of class unauthorized that says %q", e, tc.reason)
			}
			for _, secret := range []string{key, app, token} {
				if strings.Contains(e.Error()+e.Message, secret) {
					t.Errorf("the error holds %q", secret)
				}
			}
		})
	}
}

func TestEndpointThatMakesNoURL(t *testing.T) {
	t.Parallel()
	for _, up := range []*provider.Upstream{v3(), v1()} {
		up.Endpoint = "https://user:hunter2@open speech"
		_, err := Adapter().Speech.NewRequest(t.Context(), up, request(nil))
		if e := errorOf(t, err); e.Class != provider.ClassNetwork || strings.Contains(e.Error(), "hunter2") {
			t.Errorf("%s: error = %v, want one of class network that does not show the address", up.Protocol, e)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		up      *provider.Upstream
		change  func(*provider.SpeechRequest)
		param   string
		message string // what is in it
	}{
		"flac of V3":     {v3(), func(in *provider.SpeechRequest) { in.Format = "flac" }, "response_format", `mp3, opus, wav, pcm, not "flac"`},
		"aac of V1":      {v1(), func(in *provider.SpeechRequest) { in.Format = "aac" }, "response_format", `mp3, opus, wav, pcm, not "aac"`},
		"V3 is too slow": {v3(), func(in *provider.SpeechRequest) { in.Speed = 0.49 }, "speed", "from 0.5 to 2, not 0.49"},
		"V3 is too fast": {v3(), func(in *provider.SpeechRequest) { in.Speed = 2.01 }, "speed", "from 0.5 to 2, not 2.01"},
		"V1 is too slow": {v1(), func(in *provider.SpeechRequest) { in.Speed = 0.79 }, "speed", "from 0.8 to 2, not 0.79"},
		"V1 is too fast": {v1(), func(in *provider.SpeechRequest) { in.Speed = 4 }, "speed", "from 0.8 to 2, not 4"},
		"V1 is too long": {
			v1(), func(in *provider.SpeechRequest) { in.Input = strings.Repeat("灯", 342) }, "input", "1024 bytes in UTF-8, not 1026",
		},
		"instructions of V1": {v1(), func(in *provider.SpeechRequest) { in.Instructions = "Whisper." }, "instructions", "Leave instructions out"},
		"instructions of a voice of 1.0": {
			v3(), func(in *provider.SpeechRequest) { in.Voice, in.Instructions = voice1, "Whisper." }, "instructions", "voice of 2.0",
		},
		"instructions of a resource of 1.0": {
			upstream("V3", "volc.service_type.10029", "api-key"), func(in *provider.SpeechRequest) { in.Instructions = "Whisper." },
			"instructions", "voice of 2.0",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Adapter().Speech.NewRequest(t.Context(), tc.up, request(tc.change))
			e := errorOf(t, err)
			if e.Class != provider.ClassInvalidRequest || e.Param != tc.param || !strings.Contains(e.Message, tc.message) || e.Status != 0 {
				t.Errorf("%v: %s: %s; want %s and %q", e, e.Param, e.Message, tc.param, tc.message)
			}
		})
	}
	t.Run("a long text is V3's to judge", func(t *testing.T) {
		t.Parallel()
		build(t, v3(), request(func(in *provider.SpeechRequest) { in.Input = strings.Repeat("灯", 20000) }))
	})
	t.Run("not the longest of V1", func(t *testing.T) {
		t.Parallel()
		build(t, v1(), request(func(in *provider.SpeechRequest) { in.Input = strings.Repeat("a", 1024) }))
	})
}
