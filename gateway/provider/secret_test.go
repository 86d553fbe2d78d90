package provider_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

const value = "sk-very-secret-0123456789"

// holder is how Secrets are kept: in fields, maps and slices, exported or not.
type holder struct {
	Secret  provider.Secret
	Pointer *provider.Secret
	Map     map[string]provider.Secret
	List    []provider.Secret
	hidden  provider.Secret
}

func newHolder() holder {
	s := provider.NewSecret(value)
	return holder{Secret: s, Pointer: &s, Map: map[string]provider.Secret{"api-key": s}, List: []provider.Secret{s}, hidden: s}
}

// reveals says whether a text holds the value in any usual spelling.
func reveals(text string) bool {
	for _, spelling := range []string{value, fmt.Sprintf("%x", value), fmt.Sprintf("%X", value), fmt.Sprintf("%v", []byte(value)), "very-secret"} {
		if strings.Contains(text, spelling) {
			return true
		}
	}
	return false
}

func TestSecret_NoVerbPrintsIt(t *testing.T) {
	s := provider.NewSecret(value)
	for _, verb := range "vsqxXdobtcUTpeEfFgGz" {
		for _, flags := range []string{"", "+", "#", "-40", ".3", " ", "0"} {
			format := "%" + flags + string(verb)
			for _, printed := range []any{s, &s, []provider.Secret{s}, map[string]provider.Secret{"k": s}, [1]any{s}} {
				if text := fmt.Sprintf(format, printed); reveals(text) {
					t.Errorf("%s of %T prints %s", format, printed, text)
				}
			}
		}
	}
	for _, text := range []string{fmt.Sprintln(s), s.String(), s.GoString(), fmt.Errorf("using %v", s).Error(), errors.New(s.String()).Error()} {
		if reveals(text) || !strings.Contains(text, "[redacted]") {
			t.Errorf("printed %s", text)
		}
	}
}

func TestSecret_NoStructPrintsIt(t *testing.T) {
	h := newHolder()
	// fmt calls no methods of unexported fields.
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p"} {
		if text := fmt.Sprintf(format, h); reveals(text) {
			t.Errorf("%s prints %s", format, text)
		}
	}
}

func TestSecret_NoEncoderWritesIt(t *testing.T) {
	text, err := json.Marshal(newHolder())
	if err != nil || reveals(string(text)) {
		t.Errorf("json writes %s, %v", text, err)
	}
	text, err = json.Marshal(map[provider.Secret]int{provider.NewSecret(value): 1})
	if err != nil || reveals(string(text)) {
		t.Errorf("json writes the name %s, %v", text, err)
	}
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		s := provider.NewSecret(value)
		slog.New(handler(&b)).With("secret", s).Info("m", "pointer", &s, slog.Group("g", "secret", s), "list", []provider.Secret{s})
		if reveals(b.String()) {
			t.Errorf("the %s handler writes %s", name, b.String())
		}
	}
}

func TestSecret_GivesItsValueOnlyWhenAsked(t *testing.T) {
	s := provider.NewSecret(value)
	if s.Reveal() != value {
		t.Errorf("Reveal gives %q", s.Reveal())
	}
	if s.Empty() || !provider.NewSecret("").Empty() || !(provider.Secret{}).Empty() {
		t.Error("Empty does not tell an empty value from another")
	}
	if !s.Equal(provider.NewSecret(value)) || s.Equal(provider.NewSecret(value+"x")) {
		t.Error("Equal does not compare values")
	}
}
