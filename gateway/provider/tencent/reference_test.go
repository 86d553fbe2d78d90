package tencent

import (
	"strings"
	"testing"
)

func TestInline(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ reference, want string }{
		"an address":            {"https://example.com/a.png?x=data:image/png;base64,QUJD", ""},
		"a data URI":            {"data:image/jpeg;base64,QUJD", "QUJD"},
		"a type in capitals":    {"DATA:IMAGE/WEBP;BASE64,QUJD", "QUJD"},
		"a type with a word":    {"data:image/bmp;charset=binary;base64,QUJD", "QUJD"},
		"a comma in the data":   {"data:image/tiff;base64,QU,JD", "QU,JD"},
		"the most that is well": {"data:image/png;base64,12345678", "12345678"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := inline(tc.reference, 8); err != nil || got != tc.want {
				t.Errorf("inline() = %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

func TestReferencesThatAreNone(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ reference, message string }{
		"nothing":          {"", "http(s) address or a data URI"},
		"plain base64":     {"iVBORw0KGgo=", "http(s) address or a data URI"},
		"another protocol": {"ftp://example.com/a.png", "http(s) address or a data URI"},
		"no data":          {"data:image/png;base64,", "http(s) address or a data URI"},
		"no comma":         {"data:image/png;base64", "http(s) address or a data URI"},
		"no base64":        {"data:image/png,%89PNG", "http(s) address or a data URI"},
		"no image":         {"data:text/html;base64,QUJD", "http(s) address or a data URI"},
		"another type":     {"data:image/gif;base64,QUJD", `jpeg, jpg, png, bmp, tiff, webp, not "gif"`},
		"a long type":      {"data:image/" + strings.Repeat("x", 99) + ";base64,QUJD", `not "` + strings.Repeat("x", 32) + `"`},
		"too much":         {"data:image/png;base64,123456789", "may have 8 characters in base64; this one has 9"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := refusal(t, second(inline(tc.reference, 8)))
			if e.Param != "image" || !strings.Contains(e.Message, tc.message) {
				t.Errorf("%s: %s; want %q", e.Param, e.Message, tc.message)
			}
		})
	}
}
