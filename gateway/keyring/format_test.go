package keyring_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"vipcloud.ai/vipcloud/gateway/keyring"
)

func TestParse_ReadsWhatBytesGave(t *testing.T) {
	r, id := added(t, newRing(t), noon().Add(time.Hour))
	for name, ring := range map[string]keyring.Ring{"one key": newRing(t), "a key that waits": r, "promoted": promoted(t, r, id, noon())} {
		t.Run(name, func(t *testing.T) {
			text := ring.Bytes()
			again, err := keyring.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(ring.Keys(), again.Keys()); diff != "" {
				t.Errorf("keys -want +got:\n%s", diff)
			}
			if !bytes.Equal(text, again.Bytes()) || !again.Equal(ring) || again.Equal(newRing(t)) {
				t.Error("the bytes of equal rings differ")
			}
			if !opens(again, seal(t, ring, "x"), "x") || !opens(ring, seal(t, again, "x"), "x") {
				t.Error("the two do not open each other's")
			}
		})
	}
}

// kept is a ring as it was once written, and keptJob what was sealed with it as "job 1": both must be read for ever.
const kept = `{"version":1,"keys":[{"id":3051930406,"createdAt":"2026-11-01T12:00:00Z","primarySince":"2026-11-01T12:00:00Z"}],` +
	`"keyset":{"primaryKeyId":3051930406,"key":[{"keyData":{"typeUrl":"type.googleapis.com/google.crypto.tink.XChaCha20Poly1305Key",` +
	`"value":"GiAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw==","keyMaterialType":"SYMMETRIC"},"status":"ENABLED",` +
	`"keyId":3051930406,"outputPrefixType":"TINK"}]}}`

const keptJob = "AbXowybG8IWahvu10EbF4uVGZEDWFSTsvyoQ31e1TQNm58NMnxotWwesKdT3XuaJuiU="

func TestParse_ReadsEarlierRings(t *testing.T) {
	r, err := keyring.Parse([]byte(kept))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := base64.StdEncoding.DecodeString(keptJob)
	if err != nil {
		t.Fatal(err)
	}
	if !opens(r, sealed, "job 1") {
		t.Error("the job cannot be opened")
	}
	spaced := regexp.MustCompile(`([:,{])`).ReplaceAllString(kept, "$1\n ")
	spaced = strings.NewReplacer("T12:\n 00:\n 00Z", "T12:00:00Z").Replace(spaced)
	if again, err := keyring.Parse([]byte(spaced)); err != nil || !again.Equal(r) {
		t.Errorf("white space matters: %v", err)
	}
}

// rewrite changes a text that must be there.
func rewrite(t *testing.T, text, from, to string) []byte {
	t.Helper()
	if !strings.Contains(text, from) {
		t.Fatalf("%q is not in the text", from)
	}
	return []byte(strings.Replace(text, from, to, 1))
}

// otherKeys is kept with another key set, of one key made by a template.
func otherKeys(t *testing.T, template string) []byte {
	t.Helper()
	templates := map[string]func() (*keyset.Handle, error){
		"AES-GCM": func() (*keyset.Handle, error) { return keyset.NewHandle(aead.AES256GCMKeyTemplate()) },
		"raw": func() (*keyset.Handle, error) {
			raw := aead.XChaCha20Poly1305KeyTemplate()
			raw.OutputPrefixType = 3 // RAW: sealed texts that do not say which key they are of
			return keyset.NewHandle(raw)
		},
	}
	handle, err := templates[template]()
	if err != nil {
		t.Fatal(err)
	}
	var set bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&set)); err != nil {
		t.Fatal(err)
	}
	id := handle.KeysetInfo().GetPrimaryKeyId()
	return fmt.Appendf(nil, `{"version":1,"keys":[{"id":%d,"createdAt":"2026-11-01T12:00:00Z",`+
		`"primarySince":"2026-11-01T12:00:00Z"}],"keyset":%s}`, id, set.Bytes())
}

func TestParse_RefusesWhatIsNoRing(t *testing.T) {
	const key, short = `GiAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw==`, `GhAAAQIDBAUGBwgJCgsMDQ4P`
	described := regexp.MustCompile(`"keys":\[[^]]*\]`)
	cases := map[string]struct {
		text []byte
		want error
	}{
		"nothing":                     {text: nil, want: keyring.ErrFormat},
		"no JSON":                     {text: []byte("keys"), want: keyring.ErrFormat},
		"null":                        {text: []byte("null"), want: keyring.ErrFormat},
		"an empty object":             {text: []byte("{}"), want: keyring.ErrFormat},
		"a key set alone":             {text: rewrite(t, kept, `"version":1,`, ``), want: keyring.ErrFormat},
		"a later version":             {text: rewrite(t, kept, `"version":1`, `"version":2`), want: keyring.ErrVersion},
		"a later version's members":   {text: []byte(`{"version":2,"rings":[]}`), want: keyring.ErrVersion},
		"a version before the first":  {text: rewrite(t, kept, `"version":1`, `"version":-1`), want: keyring.ErrFormat},
		"an unknown member":           {text: rewrite(t, kept, `"version":1`, `"version":1,"more":1`), want: keyring.ErrFormat},
		"an unknown member of a key":  {text: rewrite(t, kept, `[{"id"`, `[{"more":1,"id"`), want: keyring.ErrFormat},
		"an unknown member of Tink's": {text: rewrite(t, kept, `"status"`, `"more":1,"status"`), want: keyring.ErrFormat},
		"something behind it":         {text: []byte(kept + "{}"), want: keyring.ErrFormat},
		"cut":                         {text: []byte(kept[:len(kept)-1]), want: keyring.ErrFormat},
		"no keys":                     {text: []byte(`{"version":1,"keys":[],"keyset":{}}`), want: keyring.ErrFormat},
		"a key that is not described": {text: described.ReplaceAll([]byte(kept), []byte(`"keys":[]`)), want: keyring.ErrFormat},
		"a description of no key": {
			text: rewrite(t, kept, `"keys":[`, `"keys":[{"id":7,"createdAt":"2026-11-01T12:00:00Z"},`), want: keyring.ErrFormat},
		"another key's description":     {text: rewrite(t, kept, `"id":3051930406`, `"id":7`), want: keyring.ErrFormat},
		"no creation time":              {text: rewrite(t, kept, `"createdAt":"2026-11-01T12:00:00Z",`, ``), want: keyring.ErrFormat},
		"a time that is none":           {text: rewrite(t, kept, `2026-11-01T12`, `2026-13-01T12`), want: keyring.ErrFormat},
		"a primary key that only opens": {text: rewrite(t, kept, `,"primarySince":"2026-11-01T12:00:00Z"`, ``), want: keyring.ErrFormat},
		"a primary key of the past": {
			text: rewrite(t, kept, `"primarySince"`, `"primaryUntil":"2026-11-02T12:00:00Z","primarySince"`), want: keyring.ErrFormat},
		"an end without a beginning": {text: rewrite(t, kept, `"primarySince"`, `"primaryUntil"`), want: keyring.ErrFormat},
		"another primary key":        {text: rewrite(t, kept, `"primaryKeyId":3051930406`, `"primaryKeyId":7`), want: keyring.ErrFormat},
		"a disabled key":             {text: rewrite(t, kept, `ENABLED`, `DISABLED`), want: keyring.ErrFormat},
		"a short key":                {text: rewrite(t, kept, key, short), want: keyring.ErrFormat},
		"a key that is no bytes":     {text: rewrite(t, kept, `GiAAAQID`, `????????`), want: keyring.ErrFormat},
		"another kind of key":        {text: otherKeys(t, "AES-GCM"), want: keyring.ErrFormat},
		"a key without prefix":       {text: otherKeys(t, "raw"), want: keyring.ErrFormat},
		"too long":                   {text: append([]byte(kept), bytes.Repeat([]byte(" "), 200<<10)...), want: keyring.ErrFormat},
	}
	secret := regexp.MustCompile(`GiAA|AAQID|3051930406|\?\?\?\?`)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r, err := keyring.Parse(tc.text)
			if !errors.Is(err, tc.want) || r.Bytes() != nil {
				t.Fatalf("got %v, want %v and no ring", err, tc.want)
			}
			if secret.MatchString(err.Error()) {
				t.Errorf("the error repeats what was read: %v", err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(kept))
	f.Add([]byte(strings.Replace(kept, "12:00:00Z", "12:00:00.5+08:00", 1)))
	f.Add([]byte(strings.Replace(kept, "2026-11-01T12:00:00Z", "9999-12-31T23:59:59-01:00", 1)))
	f.Add([]byte(`{"version":1,"keys":[],"keyset":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := keyring.Parse(text)
		if err != nil {
			if !errors.Is(err, keyring.ErrFormat) && !errors.Is(err, keyring.ErrVersion) {
				t.Fatalf("the error is of no class: %v", err)
			}
			return
		}
		again, err := keyring.Parse(r.Bytes())
		if err != nil || !again.Equal(r) || cmp.Diff(r.Keys(), again.Keys()) != "" {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
		sealed, err := r.Seal([]byte("x"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := again.Open(sealed, nil); err != nil || string(plain) != "x" {
			t.Fatalf("a ring that was read does not open its own: %v", err)
		}
	})
}

// keeper is how rings are kept: in fields and maps, exported or not.
type keeper struct {
	Ring    keyring.Ring
	Pointer *keyring.Ring
	Map     map[string]keyring.Ring
	hidden  keyring.Ring
	Holder  *keyring.Holder
}

func TestRing_NothingPrintsIt(t *testing.T) {
	r, err := keyring.Parse([]byte(kept))
	if err != nil {
		t.Fatal(err)
	}
	h := &keyring.Holder{}
	h.Set(r)
	k := keeper{Ring: r, Pointer: &r, Map: map[string]keyring.Ring{"k": r}, hidden: r, Holder: h}
	secret := make([]byte, 32)
	for i := range secret {
		secret[i] = byte(i)
	}
	reveals := func(text string) bool {
		for _, spelling := range []string{"GiAAAQID", "AAECAwQF", string(secret[1:8]), hex.EncodeToString(secret[:8]),
			fmt.Sprintf("%X", secret[:8]), "0 1 2 3 4 5 6", "XChaCha", "0x0, 0x1, 0x2"} {
			if strings.Contains(text, spelling) {
				return true
			}
		}
		return false
	}
	if !reveals(string(r.Bytes())) || !reveals(fmt.Sprintf("%d", secret)) || !reveals(fmt.Sprintf("%#v", secret)) {
		t.Fatal("the test would see nothing")
	}
	for _, verb := range "vsqxXdobtcUTpeg" {
		for _, flags := range []string{"", "+", "#"} {
			format := "%" + flags + string(verb)
			for _, printed := range []any{r, &r, []keyring.Ring{r}, k, &k, h} {
				if text := fmt.Sprintf(format, printed); reveals(text) {
					t.Errorf("%s of %T prints %s", format, printed, text)
				}
			}
		}
	}
	text, err := json.Marshal(k)
	if err != nil || reveals(string(text)) || !strings.Contains(string(text), `"Ring":"[redacted]"`) {
		t.Errorf("json writes %s, %v", text, err)
	}
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		slog.New(handler(&b)).Info("m", "ring", r, "pointer", &r, "keeper", k)
		if reveals(b.String()) {
			t.Errorf("the %s handler writes %s", name, b.String())
		}
	}
}
