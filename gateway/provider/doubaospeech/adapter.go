package doubaospeech

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// The generations of the API, in the words of ProviderCredential.spec.protocol.
const (
	protocolV3 = "V3"
	protocolV1 = "V1"
)

// The entries of the Secret: a key of the new console, or an app of the old one with its token.
const (
	keyEntry   = "api-key"
	appEntry   = "app-id"
	tokenEntry = "access-token"
)

// caller stands for the user and for tokens where the vendor wants any text.
const caller = "vipcloud"

// Adapter returns the adapter of provider DoubaoSpeech.
func Adapter() provider.Adapter {
	return provider.Adapter{
		Info: provider.Info{
			Name:       "DoubaoSpeech",
			Regions:    []provider.Region{{Name: "cn", Endpoint: "https://openspeech.bytedance.com"}},
			Protocols:  []string{protocolV3, protocolV1},
			Entries:    [][]string{{keyEntry}, {appEntry, tokenEntry}},
			Modalities: []provider.Modality{provider.ModalitySpeech},
		},
		Speech: voices{},
	}
}

// voices speaks in both protocols. It has no state.
type voices struct{}

var _ provider.Speech = voices{}

// NewRequest implements provider.Speech.
func (voices) NewRequest(ctx context.Context, up *provider.Upstream, in *provider.SpeechRequest) (*http.Request, error) {
	if up.Protocol == protocolV1 {
		return newRequestV1(ctx, up, in)
	}
	return newRequestV3(ctx, up, in)
}

// Decode implements provider.Speech.
func (voices) Decode(up *provider.Upstream, in *provider.SpeechRequest, header http.Header, body io.Reader) provider.SpeechStream {
	if up.Protocol == protocolV1 {
		return &document{body: body, answer: header}
	}
	s := &stream{events: newEvents(body), answer: header}
	if in.Format == provider.FormatWAV {
		s.head = headerOf(up, in)
	}
	return s
}

// Error implements provider.Speech. The codes of the two protocols differ in their length.
func (voices) Error(status int, header http.Header, body []byte) *provider.Error {
	return failure(status, header, body)
}

// newCall makes a request with a body to a path below the vendor's root.
func newCall(ctx context.Context, path string, up *provider.Upstream, body provider.Body) (*http.Request, error) {
	return provider.NewRequest(ctx, http.MethodPost, strings.TrimRight(up.Endpoint, "/")+path, up, body)
}

// secret returns an entry of the Secret. Secrets made by hand often end with a line feed.
func secret(up *provider.Upstream, entry string) string {
	return strings.TrimSpace(up.Secrets[entry].Reveal())
}

// The errors of credentials that a protocol cannot use.
var (
	errCredentialV3 = errors.New("the Secret has neither api-key nor app-id with access-token")
	errCredentialV1 = errors.New("protocol V1 needs app-id and access-token in the Secret; an api-key serves protocol V3 alone")
)

// missing is the error of a credential that lacks what the protocol needs. It is the administrator's to mend.
func missing(cause error) error {
	return &provider.Error{Class: provider.ClassUnauthorized, Code: "credential_incomplete", Message: cause.Error(), Cause: cause}
}
