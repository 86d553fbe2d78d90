package apikey_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"vipcloud.ai/vipcloud/gateway/apikey"
)

func TestGenerate_MakesKeysOfTheDocumentedShape(t *testing.T) {
	shape := regexp.MustCompile(`^vc-sk-[0-9A-Za-z]{40}$`)
	seen := map[string]bool{}
	for range 200 {
		key, err := apikey.Generate(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !shape.MatchString(key) || !apikey.Valid(key) {
			t.Fatalf("a key of a wrong shape was made, %d characters long", len(key))
		}
		if seen[key] {
			t.Fatal("the same key was made twice")
		}
		seen[key] = true
	}
}

func TestGenerate_UsesEveryCharacterAboutAsOften(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	counts := map[rune]int{}
	const keys = 3000
	for range keys {
		key, err := apikey.Generate(random)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range strings.TrimPrefix(key, apikey.Scheme) {
			counts[c]++
		}
	}
	if len(counts) != 62 {
		t.Fatalf("%d characters are in use, want 62", len(counts))
	}
	// Chi-squared with 61 degrees of freedom: above 120 by chance once in 100,000 seeds. Taking bytes modulo 62 gives over 500.
	expected, chi := float64(keys*40)/62, 0.0
	for _, n := range counts {
		chi += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	if chi > 120 {
		t.Errorf("characters are not equally likely: chi-squared is %.0f", chi)
	}
}

func TestGenerate_SaysWhenRandomnessFails(t *testing.T) {
	for name, random := range map[string]io.Reader{
		"at once":     iotest.ErrReader(io.ErrClosedPipe),
		"after a bit": io.MultiReader(bytes.NewReader(make([]byte, 7)), iotest.ErrReader(io.ErrClosedPipe)),
	} {
		t.Run(name, func(t *testing.T) {
			key, err := apikey.Generate(random)
			if key != "" || !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("got a key of %d characters, error %v", len(key), err)
			}
		})
	}
}

func TestValid(t *testing.T) {
	at := func(i int, c byte) string {
		key := []byte(strings.Repeat("k", 40))
		key[i] = c
		return string(key)
	}
	tests := map[string]struct {
		key  string
		want bool
	}{
		"nothing":                        {"", false},
		"one character too few":          {strings.Repeat("k", 31), false},
		"just enough characters":         {strings.Repeat("k", 32), true},
		"as many characters as possible": {strings.Repeat("k", 512), true},
		"one character too many":         {strings.Repeat("k", 513), false},
		"the first printable character":  {at(5, '!'), true},
		"the last printable character":   {at(5, '~'), true},
		"a space within":                 {at(5, ' '), false},
		"a delete character":             {at(5, 0x7f), false},
		"a line break at the end":        {at(39, '\n'), false},
		"a zero byte at the start":       {at(0, 0), false},
		"a byte above ASCII":             {at(20, 0x80), false},
		"letters with accents":           {strings.Repeat("é", 20), false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := apikey.Valid(tc.key); got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}
}

func TestPrefix_ShowsNothingOfForeignKeys(t *testing.T) {
	tests := map[string]struct{ key, want string }{
		"a key of our own":            {"vc-sk-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789ABCD", "vc-sk-Ab"},
		"a key somebody brought":      {"sk-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789ABCDEFG", ""},
		"a short one that looks ours": {"vc-sk-abc", ""},
		"only the scheme":             {"vc-sk-", ""},
		"nothing":                     {"", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := apikey.Prefix(tc.key); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestSum_IsTheSHA256InLowerCase(t *testing.T) {
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, "abc".
	if got := apikey.Sum("abc").String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseHash(t *testing.T) {
	digits := strings.Repeat("0a", sha256.Size)
	tests := map[string]struct {
		text   string
		wantOK bool
	}{
		"64 digits":           {digits, true},
		"capitals":            {strings.ToUpper(digits), true},
		"one digit too few":   {digits[1:], false},
		"one digit too many":  {digits + "0", false},
		"nothing":             {"", false},
		"a letter beyond f":   {digits[:63] + "g", false},
		"a space at the end":  {digits[:63] + " ", false},
		"with a prefix of 0x": {"0x" + digits[2:], false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h, err := apikey.ParseHash(tc.text)
			if (err == nil) != tc.wantOK {
				t.Fatalf("got %v", err)
			}
			if err != nil && h != (apikey.Hash{}) {
				t.Error("half a hash came with the error")
			}
			if err == nil && h.String() != strings.ToLower(tc.text) {
				t.Errorf("it reads as %s", h)
			}
		})
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add("")
	f.Add(apikey.Sum("abc").String())
	f.Add(strings.Repeat("F", 64))
	f.Add(strings.Repeat("é", 32))
	f.Fuzz(func(t *testing.T, text string) {
		h, err := apikey.ParseHash(text)
		want, hexErr := hex.DecodeString(text)
		if (err == nil) != (hexErr == nil && len(want) == sha256.Size) {
			t.Fatalf("%q: %v", text, err)
		}
		if err == nil && !bytes.Equal(h[:], want) {
			t.Fatalf("%q reads as %s", text, h)
		}
	})
}
