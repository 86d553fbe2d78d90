// Package vidu is the adapter of Vidu: videos made by tasks, from words, from a first frame, or from a first and a last one.
//
// The package decides how a public request becomes Vidu's, what Vidu takes of it and what Vidu's answers mean. What the Q3 models
// are documented to refuse is refused before anything is sent, with the values that they take; of other models the vendor is the
// judge beyond that. The package performs no I/O, reads no clock and keeps no state.
//
// Sources: platform.vidu.com/docs text-to-video, get-generation, cancel-generation and error-code; platform.vidu.cn/docs
// image-to-video.
package vidu
