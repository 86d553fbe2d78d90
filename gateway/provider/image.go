package provider

import (
	"context"
	"time"
)

// ImageRequest is a client's request for images. Zero values are parameters that were not given.
type ImageRequest struct {
	// Prompt says what to draw.
	Prompt string
	// N is the number of images, at least 1. It is always sent to vendors that have such a parameter.
	N int
	// Width and Height in pixels; both zero: the model's own default, and nothing about size is sent.
	Width, Height int
	// Base64 says that the client wants bytes rather than addresses. Adapters ask for them where the vendor can; the caller fetches
	// the files where it cannot.
	Base64 bool
	// Images are references: URLs or data URIs.
	Images []string
	// Seed makes results repeatable, nil if not given.
	Seed *int64
	// NegativePrompt says what not to draw.
	NegativePrompt string
	// Watermark is what the client said, nil if nothing: adapters then send false, since vendors differ in their defaults.
	Watermark *bool
	// OutputFormat is png, jpeg or webp, empty for the model's own.
	OutputFormat string
	// Now is the time of the call, for signatures.
	Now time.Time
	// ID is unique for each attempt, for vendors that want such a value.
	ID string
}

// Image is implemented by adapters that serve images. It is safe for concurrent use.
type Image interface {
	// Generate returns the calls that together make the images, all of which are to be made: vendors without a parameter for the
	// number of images need one for each. It performs no I/O. An error is an *Error: of class ClassInvalidRequest if this
	// vendor cannot take what the client sent, with the values that it takes.
	Generate(ctx context.Context, up *Upstream, in *ImageRequest) (*ImagePlan, error)
	// PollImages returns the call that asks what became of a task that a plan's step has made. Its answer has the Task again while
	// that runs. A task that has failed, or that the vendor does not know, is an answer whose Images hold the Failure, not an
	// error: errors are the poll's own.
	PollImages(ctx context.Context, up *Upstream, in *ImageRequest, t Task) (*Step[ImageAnswer], error)
}

// ImagePlan is how a vendor makes the images of a request.
type ImagePlan struct {
	// Steps are the calls. Each makes one image or several.
	Steps []*Step[ImageAnswer]
	// Parallel is how many of them the vendor takes at a time, at least 1.
	Parallel int
}

// ImageAnswer is what one call gave: images, or a task that will.
type ImageAnswer struct {
	// Task is to be polled, if its ID is not empty; there are no images yet then.
	Task Task
	// Images are what was made, and what was not (Failure).
	Images []ImageResult
	// Usage is what the vendor counted: Images, and tokens where it tells them.
	Usage Usage
}

// ImageResult is one image, or why there is none.
type ImageResult struct {
	// URL is where the image can be fetched without a credential; Base64 is the image itself. One of them is set.
	URL, Base64 string
	// Lifetime is how long the URL can be used after the answer, 0 if the vendor does not say.
	Lifetime time.Duration
	// Size is WIDTHxHEIGHT as the vendor reports it, empty if it does not.
	Size string
	// RevisedPrompt is what the vendor drew from, if it says so.
	RevisedPrompt string
	// Failure is set for an image that was not made although the call as a whole succeeded.
	Failure *Error
}
