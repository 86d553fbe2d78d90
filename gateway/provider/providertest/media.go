package providertest

import (
	"net/http"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// Media is an adapter of a vendor that makes images, videos, music or speech, and the simulator that it is tried against, over
// real HTTP. [RunImage], [RunVideo], [RunMusic] and [RunSpeech] prove the contract of package provider with it; they take turns,
// since the studio's books are shared.
type Media struct {
	// Adapter is what is tried.
	Adapter provider.Adapter
	// Handler is the vendor's simulator, and Studio its books.
	Handler http.Handler
	Studio  *studio.Studio
	// Clock is the studio's clock (studio.Options.Now), which the suite moves as it waits. Nil: the studio tells real time, and
	// slow tasks take the seconds that they take.
	Clock *Clock
	// Upstream is whom to call: Model, Protocol, Secrets. The suite fills in Endpoint: the simulator's address, followed by the
	// Endpoint that is given here, such as "/v1", which is usually empty.
	Upstream provider.Upstream
	// Signing names the entries of Secrets that only sign and never travel, such as "secret-key".
	Signing []string
	// Identifiers names the entries of Secrets that say who and prove nothing, such as "app-id": they may be in addresses and
	// bodies.
	Identifiers []string
	// Failures says what each failure of this vendor must be classified as. Each of the modes of the modality (see
	// [studio.Mode]) is named here or in Without. Malformed, Empty, HTML and Redirect are played always; they must be of class
	// bad_response or server_error (or timeout for HTML, whose status is 504) unless Failures says otherwise.
	Failures map[studio.Mode]provider.Class
	// Without names what this vendor has not: failure modes, by their names, and the scenarios that are constants here. A name
	// that means nothing is an error, and so is "usage", "1024x1024", "cancel" or "streaming" where the vendor turns out to have it.
	Without []string
}

// What Media.Without may name besides failure modes.
const (
	// WithoutUsage is a vendor that does not say what it counted.
	WithoutUsage = "usage"
	// WithoutSquare is a vendor that refuses images of 1024x1024: the refusal is checked then.
	WithoutSquare = "1024x1024"
	// WithoutCancel is a vendor whose tasks cannot be cancelled: Cancel returns no step.
	WithoutCancel = "cancel"
	// WithoutUnknownTask is a vendor whose answer about a task that it does not know is not known: an error will do.
	WithoutUnknownTask = "unknown task"
	// WithoutUnknownVoice is a vendor that takes any voice.
	WithoutUnknownVoice = "unknown voice"
	// WithoutWrongKey is a vendor that nobody needs a credential for.
	WithoutWrongKey = "wrong key"
	// WithoutPollFailures is a simulator that plays no failures when it is polled.
	WithoutPollFailures = "poll failures"
	// WithoutStreaming is a vendor that sends the audio of a text all at once.
	WithoutStreaming = "streaming"
)

// Refusal is a request that the adapter refuses before anything is sent.
type Refusal[T any] struct {
	Request T
	// Param is the member at fault, in the public API's words.
	Param string
	// Allowed are what the message must tell, such as the values that the vendor takes.
	Allowed []string
}

// Acceptance is a request that must succeed to the end.
type Acceptance[T any] struct {
	Request T
	// Billing is what Submission.Billing must be, nil for whatever the vendor bills.
	Billing *provider.Billing
	// Warnings are texts of which each must be in one of Submission.Warnings; none: there must be no warning.
	Warnings []string
}

// ImageCases say what to ask for. The suite fills in Prompt, N, Now and ID where they are zero.
type ImageCases struct {
	// Request is an ordinary request; it has no size, and leaves the way of delivery to the suite.
	Request provider.ImageRequest
	// Base64 says that the vendor gives bytes to those who ask for them.
	Base64 bool
	// Sketches says that the simulator paints smaller pictures than it says, to be quick: shapes are compared, not sizes.
	Sketches bool
	// Accepted are further requests that succeed, by a sentence.
	Accepted map[string]provider.ImageRequest
	// Refused are requests that the vendor cannot take, by a sentence.
	Refused map[string]Refusal[provider.ImageRequest]
}

// VideoCases say what to ask for. The suite fills in Prompt, Now and ID where they are zero.
type VideoCases struct {
	// Request is an ordinary request.
	Request provider.VideoRequest
	// Accepted are further requests that succeed, by a sentence.
	Accepted map[string]Acceptance[provider.VideoRequest]
	// Refused are requests that the vendor cannot take, by a sentence.
	Refused map[string]Refusal[provider.VideoRequest]
}

// MusicCases say what to ask for. The suite fills in Prompt, N, Now and ID where they are zero.
type MusicCases struct {
	// Request is an ordinary request.
	Request provider.MusicRequest
	// Accepted are further requests that succeed, by a sentence.
	Accepted map[string]Acceptance[provider.MusicRequest]
	// Refused are requests that the vendor cannot take, by a sentence.
	Refused map[string]Refusal[provider.MusicRequest]
}

// SpeechCases say what to ask for. The suite fills in Input, Format (the first of Formats), Speed, Now and ID where they are
// zero.
type SpeechCases struct {
	// Request is an ordinary request; its Voice is one that the simulator knows.
	Request provider.SpeechRequest
	// Audio is what the client must get for a request, once: what the simulator makes, and what the adapter puts around it.
	Audio func(*provider.SpeechRequest) []byte
	// Formats are all that the adapter takes; the others must be refused, with these in the message.
	Formats []string
	// MinSpeed and MaxSpeed are the speeds that the vendor takes, within 0.25 and 4; speeds beyond must be refused, with these in
	// the message. Both 1: the vendor knows no other.
	MinSpeed, MaxSpeed float64
	// MaxRunes and MaxBytes are the longest text that the vendor takes, 0 if it tells none. A longer one must be refused, with the
	// figure in the message.
	MaxRunes, MaxBytes int
	// UnknownVoice is an id that the vendor does not know.
	UnknownVoice string
	// Accepted are further requests that succeed, by a sentence.
	Accepted map[string]provider.SpeechRequest
	// Refused are requests that the vendor cannot take, by a sentence.
	Refused map[string]Refusal[provider.SpeechRequest]
}
