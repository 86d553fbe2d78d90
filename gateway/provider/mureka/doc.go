// Package mureka is the adapter of Mureka: songs and instrumental music, made by tasks. It speaks to the vendor's own platform, and
// to Skywork's gateway to it, which has one path for everything and an envelope around every answer.
//
// The package decides how a public request becomes Mureka's, what Mureka takes of it and what Mureka's answers mean. A song needs
// lyrics: where the client sends none, they are written first, which is a call of its own that the vendor bills. The vendor's
// errors have no codes, only texts, of which none is documented: what several meanings share is told apart by words, and by default
// means what does the least harm. The package performs no I/O, reads no clock and keeps no state.
//
// Sources: platform.mureka.ai/docs quickstart and en/faq; docs.skyworkmodel.ai/mureka api-reference/song generate-song and
// query-task.
package mureka
