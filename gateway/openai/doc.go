// Package openai knows the public wire shapes: the error envelope, JSON request bodies as objects whose top-level members
// can be found and replaced without decoding the rest, model lists. It decides nothing about routing or upstreams and does
// no I/O beyond writing an error to a response.
package openai
