package providertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// completion is the part of a completion or chunk that OpenAI's shape requires.
type completion struct {
	ID      *string          `json:"id"`
	Object  string           `json:"object"`
	Created *int64           `json:"created"`
	Model   string           `json:"model"`
	Choices []choice         `json:"choices"`
	Usage   *json.RawMessage `json:"usage"`
	Error   *json.RawMessage `json:"error"`
}

// choice is one choice of either.
type choice struct {
	Index        *int    `json:"index"`
	FinishReason *string `json:"finish_reason"`
	Message      *body   `json:"message"`
	Delta        *body   `json:"delta"`
}

// body is a message or delta.
type body struct {
	Role      string     `json:"role"`
	ToolCalls []toolCall `json:"tool_calls"`
}

// toolCall is a tool call or a piece of one.
type toolCall struct {
	Index    *int    `json:"index"`
	ID       *string `json:"id"`
	Type     string  `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// answers checks what clients get for whole answers.
func (s *suite) answers(t *testing.T) {
	s.each(t, "answers", func(t *testing.T, d *document) {
		upstream := d.must(t, "upstream")
		got, err := s.chat.Decode(&provider.ChatRequest{PublicModel: publicModel}, []byte("\n\n"+upstream+"\n"))
		if err != nil {
			d.golden(t, "failed", failed(t, err, http.StatusOK))
			d.golden(t, "public", "")
			d.golden(t, "usage", "")
			return
		}
		d.golden(t, "failed", "")
		d.golden(t, "public", string(got.Body))
		d.golden(t, "usage", usage(got.Usage))
		wholeShape(t, got.Body)
	})
}

// wholeShape checks that a completion is one to OpenAI's SDKs.
func wholeShape(t *testing.T, raw []byte) {
	t.Helper()
	c := parse(t, raw)
	if c.Object != "chat.completion" || len(c.Choices) == 0 {
		t.Errorf("object = %q with %d choices, want a chat.completion with choices", c.Object, len(c.Choices))
	}
	for i, ch := range c.Choices {
		if ch.Index == nil || ch.FinishReason == nil || ch.Message == nil || ch.Message.Role != "assistant" {
			t.Errorf("choice %d lacks index, finish_reason, message or role: %s", i, raw)
			continue
		}
		for _, call := range ch.Message.ToolCalls {
			if call.ID == nil || *call.ID == "" || call.Type == "" || call.Function.Name == "" {
				t.Errorf("a tool call lacks id, type or name: %s", raw)
			}
		}
	}
}

// parse reads a completion or chunk and checks what both have.
func parse(t *testing.T, raw []byte) completion {
	t.Helper()
	var c completion
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatalf("the client gets what is no completion: %v: %s", err, raw)
	}
	if c.ID == nil || c.Created == nil || c.Model != publicModel {
		t.Errorf("id, created or the public model is missing: %s", raw)
	}
	if c.Error != nil || strings.Contains(string(raw), `"error":null`) {
		t.Errorf("there is an error member: %s", raw)
	}
	return c
}

// failed describes an error of an answer and checks its status.
func failed(t *testing.T, err error, status int) string {
	t.Helper()
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		t.Fatalf("error = %v, want a *provider.Error", err)
	}
	if e.Status != status {
		t.Errorf("error status = %d, want %d", e.Status, status)
	}
	if len(e.Message) > 1024 {
		t.Errorf("the message has %d bytes, want at most 1024", len(e.Message))
	}
	noSecret(t, e)
	return fmt.Sprintf("%s, code %q, request id %q: %s", e.Class, e.Code, e.RequestID, e.Message)
}

// usage describes a usage.
func usage(u provider.Usage) string {
	if !u.Known {
		return "unknown"
	}
	return fmt.Sprintf("prompt %d, completion %d, cached %d, cache write %d, reasoning %d",
		u.PromptTokens, u.CompletionTokens, u.CachedTokens, u.CacheWriteTokens, u.ReasoningTokens)
}

// errors checks what failures mean. Those inside a 200 are tried as a whole answer and as an event.
func (s *suite) errors(t *testing.T) {
	t.Parallel()
	d := readDocument(t, s.fx.Dir+"/errors.txt")
	for _, name := range d.names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			number, rest, _ := strings.Cut(name, " ")
			want, _, _ := strings.Cut(rest, " ")
			status, err := strconv.Atoi(number)
			if err != nil {
				t.Fatalf("reading the status: %v", err)
			}
			header, raw := splitHeader(d.sections[name])
			if status != http.StatusOK {
				e := s.chat.Error(status, header, []byte(raw))
				expectClass(t, "Error()", e, status, want)
				return
			}
			_, err = s.chat.Decode(&provider.ChatRequest{PublicModel: publicModel}, []byte(raw))
			expectClass(t, "Decode()", err, status, want)
			var chunk provider.ChatChunk
			err = s.chat.Stream(&provider.ChatRequest{PublicModel: publicModel, Stream: true}).Event([]byte(strings.TrimSpace(raw)), &chunk)
			expectClass(t, "Event()", err, status, want)
		})
	}
}

// splitHeader takes lines such as "> Retry-After: 3" from the front of a failure.
func splitHeader(section string) (http.Header, string) {
	header := http.Header{}
	for strings.HasPrefix(section, "> ") {
		line, rest, _ := strings.Cut(section, "\n")
		name, value, _ := strings.Cut(line[2:], ": ")
		header.Set(name, value)
		section = rest
	}
	return header, section
}

// expectClass checks an error's class.
func expectClass(t *testing.T, what string, err error, status int, want string) {
	t.Helper()
	got := failed(t, err, status)
	if !strings.HasPrefix(got, want+",") {
		t.Errorf("%s = %s; want class %s", what, got, want)
	}
}
