// Package doubaospeech is the adapter of Doubao's speech, the openspeech interfaces of Volcengine, in two protocols. V3 streams
// server-sent events. V1, which the vendor no longer recommends, gives base64 in one document.
//
// The package decides how a public request becomes Doubao's, which resource a voice belongs to, what the interfaces take and what their
// answers mean: codes alone do not tell, since several share one and only the text differs, and HTTP statuses vary. It performs no
// I/O, reads no clock and keeps no state.
//
// Of the two ways in which V3 answers over HTTP, the event stream is used: the other one is a sequence of JSON values, and what stands
// between them is not documented.
//
// Sources: www.volcengine.com/docs/6561: 1257584 (V1), 1598757 (V3), 79823 (parameters), 2534853 (codes).
package doubaospeech
