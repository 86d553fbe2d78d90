// Package ark is the media adapter of ByteDance's Volcengine Ark and BytePlus ModelArk, which share one API: images of Seedream,
// made while the caller waits, and videos of Seedance, made by tasks.
//
// The package decides how a public request becomes Ark's, what Ark takes of it and what Ark's answers mean. What a model is
// known to refuse, it refuses before anything is sent, with the values that the model takes. A model is known by its id; an
// endpoint's id (ep-…) may stand for any model, and Ark is the judge there. The package performs no I/O, reads no clock and keeps
// no state.
//
// Sources: docs.byteplus.com ModelArk/1541523, 1824121 (images), 1520757, 1521309, 2291680 (videos), 1299023 (errors), and
// volcengine.com/docs/82379 of the same numbers.
package ark
