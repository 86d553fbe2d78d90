package providertest

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// streams checks what clients get for streams, with and without usage, whole and broken.
func (s *suite) streams(t *testing.T) {
	s.each(t, "streams", func(t *testing.T, d *document) {
		events := lines(d.must(t, "upstream"))
		with := s.play(events, true)
		without := s.play(events, false)
		why := ""
		if with.err != nil {
			why = failed(t, with.err, http.StatusOK)
		}
		d.golden(t, "failed", why)
		d.golden(t, "public", strings.Join(with.out, "\n"))
		d.golden(t, "usage", usage(with.usage))
		if with.usage != without.usage {
			t.Errorf("usage = %+v when the client asks for it, and %+v when not", with.usage, without.usage)
		}
		if with.err != nil {
			return
		}
		chunkShapes(t, with.out, with.usage.Known)
		chunkShapes(t, without.out, false)
		if with.content == 0 {
			t.Error("no chunk counts as content")
		}
		s.truncated(t, events)
		s.malformed(t, events)
		s.afterDone(t, events)
	})
}

// played is what a stream became.
type played struct {
	out     []string
	content int
	usage   provider.Usage
	err     error
}

// stream starts a decoder.
func (s *suite) stream(includeUsage bool) provider.ChatStream {
	return s.chat.Stream(&provider.ChatRequest{PublicModel: publicModel, Stream: true, IncludeUsage: includeUsage})
}

// play decodes events as the gateway does. Every event is a copy that is overwritten afterwards, as a reader's buffer is.
func (s *suite) play(events []string, includeUsage bool) played {
	var p played
	st := s.stream(includeUsage)
	for _, event := range events {
		data := []byte(event)
		var chunk provider.ChatChunk
		if p.err = st.Event(data, &chunk); p.err != nil {
			p.usage = st.Usage()
			return p
		}
		if chunk.Data != nil {
			p.out = append(p.out, string(chunk.Data))
		}
		if chunk.Content {
			p.content++
		}
		for i := range data {
			data[i] = '#'
		}
		if chunk.Done {
			break
		}
	}
	p.err = st.Close()
	p.usage = st.Usage()
	if trailer := st.Trailer(); trailer != nil && p.err == nil {
		p.out = append(p.out, string(trailer))
	}
	return p
}

// chunkShapes checks that chunks are what OpenAI's SDKs expect.
func chunkShapes(t *testing.T, out []string, wantUsage bool) {
	t.Helper()
	first := parse(t, []byte(out[0]))
	calls := map[[2]int]string{}
	usages, finished := 0, false
	roles := map[int]bool{}
	for i, raw := range out {
		c := parse(t, []byte(raw))
		if c.Object != "chat.completion.chunk" || *c.ID != *first.ID || *c.Created != *first.Created {
			t.Errorf("chunk %d has another object, id or time than the first: %s", i, raw)
		}
		if c.Usage != nil {
			usages++
			if len(c.Choices) != 0 || !strings.Contains(raw, `"choices":[]`) || i != len(out)-1 {
				t.Errorf("usage is not in a last chunk without choices: %s", raw)
			}
		} else if len(c.Choices) == 0 {
			t.Errorf("chunk %d has no choices: %s", i, raw)
		}
		for _, ch := range c.Choices {
			finished = finished || ch.FinishReason != nil
			deltaShape(t, raw, ch, roles, calls)
		}
	}
	if want := map[bool]int{true: 1}[wantUsage]; usages != want {
		t.Errorf("%d chunks carry usage, want %d", usages, want)
	}
	if !finished {
		t.Error("no chunk has a finish_reason")
	}
}

// deltaShape checks one choice of a chunk.
func deltaShape(t *testing.T, raw string, ch choice, roles map[int]bool, calls map[[2]int]string) {
	t.Helper()
	if ch.Index == nil || ch.Delta == nil {
		t.Fatalf("a choice lacks index or delta: %s", raw)
	}
	if !roles[*ch.Index] && ch.Delta.Role != "assistant" {
		t.Errorf("the first delta of choice %d has no role: %s", *ch.Index, raw)
	}
	roles[*ch.Index] = true
	for _, call := range ch.Delta.ToolCalls {
		if call.Index == nil {
			t.Errorf("a tool call has no index: %s", raw)
			continue
		}
		key := [2]int{*ch.Index, *call.Index}
		id, known := calls[key]
		switch {
		case !known && (call.ID == nil || *call.ID == "" || call.Type == "" || call.Function.Name == ""):
			t.Errorf("the first piece of a tool call lacks id, type or name: %s", raw)
		case !known:
			calls[key] = *call.ID
		case call.ID != nil && *call.ID != id:
			t.Errorf("the id of tool call %d changes from %q: %s", *call.Index, id, raw)
		}
	}
}

// truncated checks that a stream that ends before its answer is an error, however little came.
func (s *suite) truncated(t *testing.T, events []string) {
	t.Helper()
	for _, n := range []int{0, 1} {
		if got := s.play(events[:n], true); classOf(got.err) != provider.ClassBadResponse {
			t.Errorf("a stream of %d events closes with %v, want a bad_response", n, got.err)
		}
	}
}

// malformed checks that events that are not JSON objects are errors, after a good one as well as first.
func (s *suite) malformed(t *testing.T, events []string) {
	t.Helper()
	for _, junk := range []string{
		"junk", "{", `{"choices":`, `{"choices":[{]}`, "[]", `"text"`, "null", `{"a":1}{"b":2}`, `{"a":"` + "\x01" + `"}`,
		"<html>busy</html>", strings.Repeat(`{"choices":[`, 5_000), events[0][:len(events[0])-1],
	} {
		for _, before := range [][]string{nil, events[:1]} {
			got := s.play(append(slices.Clip(before), junk), true)
			if classOf(got.err) != provider.ClassBadResponse {
				t.Errorf("event %.40q: error = %v, want a bad_response", junk, got.err)
			}
		}
	}
}

// afterDone checks that nothing that follows the end is read.
func (s *suite) afterDone(t *testing.T, events []string) {
	t.Helper()
	st := s.stream(false)
	for _, event := range append(slices.Clip(events), "[DONE] ", "[DONE]xyz", events[0], `{"error":{"message":"late"}}`, "junk") {
		var chunk provider.ChatChunk
		if err := st.Event([]byte(event), &chunk); err != nil {
			t.Errorf("an event after the end is an error: %v", err)
		}
	}
	if err := st.Close(); err != nil {
		t.Errorf("Close() after the end = %v", err)
	}
}

// classOf is the class of an error, or -1.
func classOf(err error) provider.Class {
	if e, ok := errors.AsType[*provider.Error](err); ok {
		return e.Class
	}
	return -1
}
