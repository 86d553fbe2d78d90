// Package openaicompat is the adapter of every vendor that speaks OpenAI's chat completions with an accent of its own. There
// is one adapter; a vendor is a record of quirks: where its API lies, how it authenticates, which members of a request it
// renames or refuses, what its answers carry beyond or below OpenAI's shape, and what its failures mean.
//
// The package decides how a public request becomes the vendor's and how the vendor's answer becomes the public one. It refuses
// to know which vendor serves a request, whether to try again, and what anything costs. It performs no I/O, reads no clock and
// keeps no state beside that of one stream.
package openaicompat
