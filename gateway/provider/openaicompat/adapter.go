package openaicompat

import (
	"net/http"

	"vipcloud.ai/vipcloud/gateway/openai"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// adapter serves chat completions for one vendor. It is immutable.
type adapter struct{ quirks *quirks }

var _ provider.Chat = (*adapter)(nil)

// newAdapter makes the adapter of a vendor.
func newAdapter(q *quirks) provider.Adapter {
	return provider.Adapter{Info: q.info, Chat: &adapter{quirks: q}}
}

// Stream implements provider.Chat.
func (a *adapter) Stream(in *provider.ChatRequest) provider.ChatStream {
	s := &stream{includeUsage: in.IncludeUsage}
	s.translator = translator{quirks: a.quirks, model: openai.AppendString(nil, in.PublicModel), nullUsage: in.IncludeUsage}
	return s
}

// Decode implements provider.Chat.
func (a *adapter) Decode(in *provider.ChatRequest, body []byte) (*provider.ChatResult, error) {
	body = trim(body)
	t := translator{quirks: a.quirks, whole: true, model: openai.AppendString(nil, in.PublicModel)}
	if err := t.translate(body); err != nil {
		return nil, err
	}
	if !t.now.answered {
		return nil, badResponse("no_choices", "the answer has no choices")
	}
	out := t.edits.apply(make([]byte, 0, len(body)+len(t.edits.text)), body)
	return &provider.ChatResult{Body: out, Usage: t.usage}, nil
}

// Error implements provider.Chat.
func (a *adapter) Error(status int, header http.Header, body []byte) *provider.Error {
	f := readFailure(a.quirks, body)
	e := a.quirks.classify(&f, status)
	e.Status = status
	if e.RequestID == "" {
		e.RequestID = headerRequestID(header)
	}
	e.RetryAfter = retryAfter(header)
	return e
}

// badResponse is the error of an answer that cannot be understood.
func badResponse(code, message string) *provider.Error {
	return &provider.Error{Class: provider.ClassBadResponse, Status: http.StatusOK, Code: code, Message: message}
}
