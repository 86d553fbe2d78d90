// Package provider is the contract between the gateway and the adapters of the vendors: what an adapter gets, what it
// gives back, and how it says what went wrong. An adapter translates; it does not serve: it never sees the client's
// connection, the router, quotas or metrics, it does not log, read the clock, start goroutines or perform I/O.
package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"vipcloud.ai/vipcloud/gateway/openai"
)

// Modality is a kind of work that a vendor does.
type Modality string

// The modalities, in the words of ModelRoute.spec.modality.
const (
	ModalityChat   Modality = "Chat"
	ModalityImage  Modality = "Image"
	ModalityVideo  Modality = "Video"
	ModalitySpeech Modality = "Speech"
	ModalityMusic  Modality = "Music"
)

// Info is what the rest of the program must know of a vendor without touching its adapter: plain data, collected once at
// start.
type Info struct {
	// Name is the value of ProviderCredential.spec.provider.
	Name string
	// Regions are the default endpoints, the first one being the default. Empty: the endpoint must be given.
	Regions []Region
	// Entries are the sets of entries of which the credential's Secret must hold one whole, such as {{"api-key"}} or
	// {{"api-key"}, {"access-key", "secret-key"}}. The first that is there is used.
	Entries [][]string
	// Protocols are the values of ProviderCredential.spec.protocol, the first one being the default. Empty: there is but one.
	Protocols []string
	// Modalities are what the vendor's adapter serves.
	Modalities []Modality
}

// Serves says whether the adapter serves a modality.
func (i *Info) Serves(m Modality) bool { return slices.Contains(i.Modalities, m) }

// Region is a named default endpoint of a vendor.
type Region struct {
	// Name is the value of ProviderCredential.spec.region.
	Name string
	// Endpoint is the vendor's root, without a trailing slash.
	Endpoint string
}

// Adapter is a vendor's adapter as provider/all lists it. A nil capability is one that the vendor does not have.
type Adapter struct {
	Info   Info
	Chat   Chat
	Image  Image
	Video  Video
	Speech Speech
	Music  Music
}

// Upstream is what an adapter may know of the endpoint it makes a call for. It is shared by requests: read only.
type Upstream struct {
	// Endpoint is the vendor's root (for OpenAI the base URL), without a trailing slash.
	Endpoint string
	// Model is the upstream's own id of the model.
	Model string
	// Protocol is one of Info.Protocols, empty where there is but one.
	Protocol string
	// Secrets are the entries of the credential's Secret.
	Secrets map[string]Secret
	// Header is added to every request; it never holds credentials.
	Header http.Header
	// Parameters change members of the request body: Defaults where the client sent none, before the adapter's own
	// translation; Overrides and Drop after it, so that the admin has the last word.
	Parameters Parameters
}

// Parameters change members of a request body. Read only.
type Parameters struct {
	Defaults  []Parameter
	Overrides []Parameter
	Drop      []string
}

// Parameter is a member of a request body and its JSON value.
type Parameter struct {
	Name  string
	Value json.RawMessage
}

// ChatRequest is a client's request for a chat completion.
type ChatRequest struct {
	// Body is the client's body, known to be a JSON object whose model, stream and stream_options have the right types. It is
	// shared by attempts: an adapter edits a copy (openai.Object.Edit), never the bytes.
	Body *openai.Object
	// PublicModel is the public name of the route that serves, which replaces the upstream's in every answer.
	PublicModel string
	// Stream says that the client wants an event stream.
	Stream bool
	// IncludeUsage says that the client asked for the usage chunk of a stream. Adapters ask for usage upstream in any case,
	// and pass it on only if IncludeUsage is set.
	IncludeUsage bool
}

// Chat is implemented by adapters that serve chat completions. It is safe for concurrent use.
type Chat interface {
	// NewRequest builds the upstream call. It performs no I/O. The request's GetBody is set, so that it can be replayed.
	// An error is an *Error of class ClassInvalidRequest: this vendor cannot take what the client sent.
	NewRequest(ctx context.Context, up *Upstream, in *ChatRequest) (*http.Request, error)

	// Decode turns a whole 2xx body into the public one. The body may be changed in place. Failures inside a 200 and
	// bodies that are no completion are errors of type *Error.
	Decode(in *ChatRequest, body []byte) (*ChatResult, error)

	// Stream returns a decoder for the events of one 2xx answer.
	Stream(in *ChatRequest) ChatStream

	// Error classifies a response that is not 2xx. Body is at most 64 KiB of it.
	Error(status int, header http.Header, body []byte) *Error
}

// ChatResult is a whole completion.
type ChatResult struct {
	// Body is what the client gets.
	Body []byte
	// Usage is what the vendor counted. Usage.Known is false if the vendor told none.
	Usage Usage
}

// ChatStream decodes the events of one answer, in order. It is used by one goroutine.
type ChatStream interface {
	// Event translates the data of one upstream event; data is valid, and may be changed, until the next call. It fills
	// chunk, which the caller has zeroed. A failure reported inside the stream is an *Error.
	Event(data []byte, chunk *ChatChunk) error

	// Close is called at the end of the upstream's body. It returns an *Error of class ClassBadResponse if the stream
	// ended before the answer did.
	Close() error

	// Trailer is called once, after an event with Done or a Close without error: it returns the data of a last event to send
	// before the end, such as the usage chunk that the client asked for; nil for none.
	Trailer() []byte

	// Usage is what the vendor has counted so far.
	Usage() Usage
}

// ChatChunk is what one upstream event becomes.
type ChatChunk struct {
	// Data is the data of the client's event, valid until the next call of Event. Nil: the client gets nothing for this event.
	Data []byte
	// Content says that the event carried a part of the answer, rather than only bookkeeping.
	Content bool
	// Text is how many bytes of text that part has; 0 if it has none that can be counted.
	Text int
	// Finished says that the answer has been told whole by now: only bookkeeping is still to come.
	Finished bool
	// Done says that the answer is complete and nothing after this event matters. The caller writes [DONE] itself.
	Done bool
}
