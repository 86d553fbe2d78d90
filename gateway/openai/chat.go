package openai

import (
	"bytes"
	"errors"
	"strings"

	"github.com/tidwall/gjson"
)

// ChatPeek is what the gateway itself must know of a chat request.
type ChatPeek struct {
	// Model is the public name that the client asked for.
	Model string
	// Stream asks for an event stream.
	Stream bool
	// IncludeUsage asks for a usage chunk at the end of the stream.
	IncludeUsage bool
}

// ParseBody reads a request body as an object and turns what is wrong with it into a 400.
func ParseBody(raw []byte) (*Object, *Error) {
	o, err := ParseObject(raw)
	var duplicate *DuplicateMemberError
	switch {
	case err == nil:
		return o, nil
	case errors.As(err, &duplicate):
		return nil, InvalidRequest("invalid_json", duplicate.Name, "The request body names '%s' twice.", clip(duplicate.Name, 64))
	case errors.Is(err, ErrTooManyMembers):
		return nil, InvalidRequest("invalid_json", "", "The request body has more than %d members.", maxMembers)
	case errors.Is(err, ErrNotObject):
		return nil, InvalidRequest("invalid_json", "", "The request body must be a JSON object.")
	case len(bytes.TrimSpace(raw)) == 0:
		return nil, InvalidRequest("invalid_json", "", "The request body is empty; send a JSON object.")
	}
	return nil, InvalidRequest("invalid_json", "", "The request body is not valid JSON.")
}

// PeekChat checks the members that the gateway decides by, and only those: the rest is the upstream's business.
func PeekChat(o *Object) (ChatPeek, *Error) {
	var p ChatPeek
	var problem *Error
	if p.Model, problem = PeekModel(o); problem != nil {
		return p, problem
	}
	if problem = checkMessages(o); problem != nil {
		return p, problem
	}
	if p.Stream, problem = peekBool(o, "stream"); problem != nil {
		return p, problem
	}
	p.IncludeUsage, problem = peekStreamOptions(o, p.Stream)
	return p, problem
}

// PeekModel returns the model's name.
func PeekModel(o *Object) (string, *Error) {
	raw, ok := o.Get("model")
	if !ok || string(raw) == "null" {
		return "", missing("model")
	}
	if raw[0] != '"' {
		return "", InvalidRequest("invalid_type", "model", "Invalid type for 'model': expected a string.")
	}
	model := strings.Clone(gjson.ParseBytes(raw).Str)
	if model == "" {
		return "", missing("model")
	}
	return model, nil
}

// checkMessages wants a list with something in it.
func checkMessages(o *Object) *Error {
	raw, ok := o.Get("messages")
	if !ok || string(raw) == "null" {
		return missing("messages")
	}
	if raw[0] != '[' {
		return InvalidRequest("invalid_type", "messages", "Invalid type for 'messages': expected an array of objects.")
	}
	if len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0 {
		return InvalidRequest("empty_array", "messages", "Invalid 'messages': expected at least one message.")
	}
	return nil
}

// peekBool reads a member that is true, false, null or absent.
func peekBool(o *Object, name string) (bool, *Error) {
	raw, ok := o.Get(name)
	if !ok {
		return false, nil
	}
	switch string(raw) {
	case "true":
		return true, nil
	case "false", "null":
		return false, nil
	}
	return false, InvalidRequest("invalid_type", name, "Invalid type for '%s': expected true or false.", name)
}

// peekStreamOptions returns include_usage.
func peekStreamOptions(o *Object, stream bool) (bool, *Error) {
	raw, ok := o.Get("stream_options")
	if !ok || string(raw) == "null" {
		return false, nil
	}
	if raw[0] != '{' {
		return false, InvalidRequest("invalid_type", "stream_options", "Invalid type for 'stream_options': expected an object.")
	}
	if !stream {
		return false, InvalidRequest("invalid_value", "stream_options",
			"The 'stream_options' parameter is only allowed when 'stream' is true.")
	}
	switch v := gjson.GetBytes(raw, "include_usage"); v.Type {
	case gjson.True:
		return true, nil
	case gjson.False, gjson.Null:
		return false, nil
	default:
		return false, InvalidRequest("invalid_type", "stream_options.include_usage",
			"Invalid type for 'stream_options.include_usage': expected true or false.")
	}
}

// MaxTokens is how many tokens an answer may have by what the client says, times the number of answers; false if it does not say.
// What is no number is the upstream's to refuse.
func MaxTokens(o *Object) (int64, bool) {
	n := int64(1)
	if raw, ok := o.Get("n"); ok {
		n = min(max(gjson.ParseBytes(raw).Int(), 1), maxChoices)
	}
	for _, name := range [...]string{"max_completion_tokens", "max_tokens"} {
		raw, ok := o.Get(name)
		if value := gjson.ParseBytes(raw); ok && value.Type == gjson.Number && value.Int() > 0 {
			return n * min(value.Int(), maxAnswer), true
		}
	}
	return n, false
}

// Bounds of what is believed of a client's limits, so that products stay small.
const (
	maxChoices = 128
	maxAnswer  = 1 << 31
)

// missing is the 400 of an absent member.
func missing(name string) *Error {
	return InvalidRequest("missing_required_parameter", name, "Missing required parameter: '%s'.", name)
}
