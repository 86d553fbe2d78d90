package openaicompat

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// seeds adds the lines of all fixtures of a kind.
func seeds(f *testing.F, pattern string) {
	f.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*", pattern))
	if err != nil || len(paths) == 0 {
		f.Fatalf("finding fixtures: %v, %d found", err, len(paths))
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(raw) {
			f.Add(bytes.TrimSpace(line))
		}
	}
}

// fuzzed are the adapters whose quirks change what is read.
func fuzzed() []provider.Adapter {
	return []provider.Adapter{OpenAI(), MiniMax(), Spark(), StepFun()}
}

// public checks what clients get: valid JSON of one object with the public model.
func public(t *testing.T, in, out []byte) {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal(out, &object); err != nil {
		t.Fatalf("%v: %s became %s", err, in, out)
	}
	if bytes.Contains(in, []byte(`\`)) {
		return // A name may be written in many ways, of which vendors use one.
	}
	if string(object["model"]) != `"public-model"` {
		t.Errorf("model = %s: %s became %s", object["model"], in, out)
	}
	if e, ok := object["error"]; ok {
		t.Errorf("error = %s: %s became %s", e, in, out)
	}
}

// fit checks an error.
func fit(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		t.Fatalf("error = %v, want a *provider.Error", err)
	}
	bounded(t, e)
}

func FuzzStream(f *testing.F) {
	seeds(f, "streams/*.txt")
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, a := range fuzzed() {
			for _, includeUsage := range []bool{true, false} {
				s := newStream(a, includeUsage)
				// Every line twice, so that state from earlier events matters.
				for line := range bytes.Lines(append(append(bytes.Clone(data), '\n'), data...)) {
					var chunk provider.ChatChunk
					if err := s.Event(bytes.Clone(line), &chunk); err != nil {
						fit(t, err)
						continue
					}
					if chunk.Data != nil {
						public(t, line, chunk.Data)
					}
				}
				if err := s.Close(); err != nil {
					fit(t, err)
				}
				if trailer := s.Trailer(); trailer != nil {
					public(t, nil, trailer)
				}
				sane(t, s.Usage())
			}
		}
	})
}

// sane checks that the parts of a usage stay within the whole.
func sane(t *testing.T, u provider.Usage) {
	t.Helper()
	if u.PromptTokens < 0 || u.CompletionTokens < 0 || u.CachedTokens < 0 || u.CacheWriteTokens < 0 || u.ReasoningTokens < 0 ||
		u.CachedTokens+u.CacheWriteTokens > u.PromptTokens || u.ReasoningTokens > u.CompletionTokens {
		t.Errorf("usage = %+v", u)
	}
}

func FuzzDecode(f *testing.F) {
	seeds(f, "answers/*.txt")
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, a := range fuzzed() {
			got, err := a.Chat.Decode(&provider.ChatRequest{PublicModel: "public-model"}, bytes.Clone(data))
			if err != nil {
				fit(t, err)
				continue
			}
			public(t, data, got.Body)
			sane(t, got.Usage)
		}
	})
}

func FuzzError(f *testing.F) {
	seeds(f, "errors.txt")
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, a := range append(fuzzed(), Qwen(), Zhipu(), TokenHub()) {
			for _, status := range []int{301, 400, 401, 429, 503} {
				e := a.Chat.Error(status, nil, bytes.Clone(data))
				if e.Status != status {
					t.Errorf("status = %d, want %d", e.Status, status)
				}
				bounded(t, e)
				if strings.HasPrefix(strings.TrimSpace(string(data)), "<") && strings.Contains(e.Message, "<") {
					t.Errorf("a page is shown: %s", e.Message)
				}
			}
		}
	})
}
