// Package kling is the adapter of Kuaishou's Kling: videos made by tasks, over either generation of its API. The new one has the
// model in the path and takes an API key; the legacy one takes the model in the body, numbers as strings, and a JWT or the same
// key.
//
// The package decides how a public request becomes Kling's, what Kling takes of it and what Kling's answers mean. What Kling 3 is
// documented to refuse is refused before anything is sent, with the values that it takes; of other models the vendor is the judge
// beyond that. The package performs no I/O, reads no clock and keeps no state.
//
// Sources: kling.ai/document-api api/get-started/authentication, error-codes and concurrency-rules, api/video/3-0-omni
// text-to-video, image-to-video and video-omni, each also below legacy.
package kling
