// Package minimax is the media adapter of MiniMax: speech of T2A v2, streamed, and videos of Hailuo, made by tasks. MiniMax's text
// models speak OpenAI's protocol and are served by package openaicompat.
//
// The package decides how a public request becomes MiniMax's, what MiniMax takes of it and what its answers mean: nearly all of
// its failures come with status 200 and a base_resp whose status_code is not 0. What a model is known to refuse is refused before
// anything is sent, with the values that it takes. The package performs no I/O, reads no clock and keeps no state.
//
// Keys are bound to a site: a key of api.minimax.io is a wrong one at api.minimaxi.com.
//
// Sources: platform.minimax.io/docs/api-reference: speech-t2a-http, video-generation-t2v, video-generation-i2v,
// video-generation-fl2v, video-generation-query, video-generation-download, errorcode; and the pages of the same names at
// platform.minimaxi.com.
package minimax
