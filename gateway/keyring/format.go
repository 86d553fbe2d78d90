package keyring

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
)

const (
	// formatVersion is the version of the format.
	formatVersion = 1
	// maxBytes bounds what Parse looks at.
	maxBytes = 128 << 10
	// keyType is the one kind of key in a ring, as Tink names it.
	keyType = "type.googleapis.com/google.crypto.tink.XChaCha20Poly1305Key"
)

// Errors of Parse.
var (
	// ErrVersion means a ring of a format that another version of the program writes.
	ErrVersion = errors.New("key ring of a format that this version does not know")
	// ErrFormat means bytes that are no ring.
	ErrFormat = errors.New("not a key ring")
)

// file is the format: Tink's key set in clear text, and beside it what is known of each key, in the same order.
type file struct {
	Version int             `json:"version"`
	Keys    []Key           `json:"keys"`
	Keyset  json.RawMessage `json:"keyset"`
}

// encode writes a ring. Equal rings give equal bytes: the marshaller takes out the white space that Tink's writer varies.
func encode(handle *keyset.Handle, keys []Key) ([]byte, error) {
	var set bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&set)); err != nil {
		return nil, fmt.Errorf("writing the key set: %w", err)
	}
	text, err := json.Marshal(file{Version: formatVersion, Keys: keys, Keyset: set.Bytes()})
	if err != nil {
		return nil, fmt.Errorf("writing the key ring: %w", err)
	}
	return text, nil
}

// Parse reads what Bytes gave. It is strict: unknown members, anything behind the ring, other kinds of keys, disabled keys, and
// keys that do not match what is said of them are refused. Errors wrap ErrVersion or ErrFormat and never repeat what was read.
func Parse(data []byte) (Ring, error) {
	f, err := decode(data)
	if err != nil {
		return Ring{}, err
	}
	// Causes are left out from here on: they quote what they stumble on.
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(f.Keyset)))
	if err != nil {
		return Ring{}, fmt.Errorf("reading the key set: %w", ErrFormat)
	}
	for i := range f.Keys {
		k := &f.Keys[i]
		k.CreatedAt, k.PrimarySince, k.PrimaryUntil = moment(k.CreatedAt), moment(k.PrimarySince), moment(k.PrimaryUntil)
	}
	if err := check(f.Keys, handle.KeysetInfo()); err != nil {
		return Ring{}, err
	}
	r, err := fromHandle(handle, f.Keys)
	if err != nil {
		return Ring{}, fmt.Errorf("using the key set: %w", ErrFormat)
	}
	return r, nil
}

// decode reads the outer format, the version first, so that a newer one is called that and not garbage.
func decode(data []byte) (*file, error) {
	if len(data) > maxBytes {
		return nil, fmt.Errorf("more than %d bytes: %w", maxBytes, ErrFormat)
	}
	var version struct {
		Version int `json:"version"`
	}
	if json.Unmarshal(data, &version) != nil {
		return nil, fmt.Errorf("no JSON object: %w", ErrFormat)
	}
	if version.Version > formatVersion {
		return nil, fmt.Errorf("version %d: %w", version.Version, ErrVersion)
	}
	if version.Version != formatVersion {
		return nil, fmt.Errorf("version is missing or unknown: %w", ErrFormat)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	f := &file{}
	if decoder.Decode(f) != nil {
		return nil, fmt.Errorf("unexpected members: %w", ErrFormat)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("something follows: %w", ErrFormat)
	}
	return f, nil
}

// check compares what is said of the keys with the key set.
func check(keys []Key, info *tinkpb.KeysetInfo) error {
	if len(keys) == 0 || len(keys) > MaxKeys || len(keys) != len(info.GetKeyInfo()) {
		return fmt.Errorf("number of keys: %w", ErrFormat)
	}
	seen, primaries, pending := map[uint32]bool{}, 0, 0
	for i, k := range keys {
		if seen[k.ID] || !k.plausible() || !fits(k, info.GetKeyInfo()[i]) || k.Primary() != (k.ID == info.GetPrimaryKeyId()) {
			return fmt.Errorf("key %d of %d: %w", i+1, len(keys), ErrFormat)
		}
		seen[k.ID] = true
		if k.Primary() {
			primaries++
		}
		if k.Pending() {
			pending++
		}
	}
	if primaries != 1 || pending > 1 {
		return fmt.Errorf("%d primary and %d new keys: %w", primaries, pending, ErrFormat)
	}
	return nil
}

// plausible says whether a key has a beginning, and an end as the primary one only after a beginning.
func (k Key) plausible() bool {
	return !k.CreatedAt.IsZero() && (k.PrimaryUntil.IsZero() || !k.PrimarySince.IsZero())
}

// fits says whether a key of the key set is the one that is spoken of, and of the one kind.
func fits(k Key, info *tinkpb.KeysetInfo_KeyInfo) bool {
	return info.GetKeyId() == k.ID && info.GetTypeUrl() == keyType && info.GetStatus() == tinkpb.KeyStatusType_ENABLED &&
		info.GetOutputPrefixType() == tinkpb.OutputPrefixType_TINK
}
