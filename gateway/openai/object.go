package openai

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/tidwall/gjson"
)

// Errors of ParseObject.
var (
	// ErrNotJSON means that the bytes are not JSON.
	ErrNotJSON = errors.New("not valid JSON")
	// ErrNotObject means that the JSON is not an object.
	ErrNotObject = errors.New("not a JSON object")
)

// DuplicateMemberError means that an object names a member twice. Which of the two an upstream would take is unknown, so the
// object cannot be trusted.
type DuplicateMemberError struct{ Name string }

// Error names the member.
func (e *DuplicateMemberError) Error() string {
	return fmt.Sprintf("member %q appears twice", e.Name)
}

// Object is a JSON object known by the places of its top-level members; what is inside them is not decoded. It is immutable
// and safe for concurrent use.
type Object struct {
	raw     []byte
	members []member
}

// member is the place of one member within raw.
type member struct {
	name       string
	keyStart   int
	valueStart int
	valueEnd   int
}

// ParseObject finds the members of a JSON object. It keeps raw, which must not change afterwards. Errors are ErrNotJSON,
// ErrNotObject or a *DuplicateMemberError.
func ParseObject(raw []byte) (*Object, error) {
	if !gjson.ValidBytes(raw) {
		return nil, ErrNotJSON
	}
	o := &Object{raw: raw, members: make([]member, 0, 16)}
	// The string shares raw's memory; nothing keeps it beyond the names, and raw never changes.
	text := unsafe.String(unsafe.SliceData(raw), len(raw))
	root := gjson.Parse(text)
	if !root.IsObject() {
		return nil, ErrNotObject
	}
	var err error
	root.ForEach(func(key, value gjson.Result) bool {
		m := member{name: key.Str, keyStart: key.Index, valueStart: value.Index}
		m.valueEnd = m.valueStart + len(value.Raw)
		if o.find(m.name) != nil {
			err = &DuplicateMemberError{Name: m.name}
			return false
		}
		o.members = append(o.members, m)
		return true
	})
	if err != nil {
		return nil, err
	}
	return o, nil
}

// find returns the member of a name, or nil. Objects have few members, so a scan beats a map.
func (o *Object) find(name string) *member {
	for i := range o.members {
		if o.members[i].name == name {
			return &o.members[i]
		}
	}
	return nil
}

// Get returns the raw JSON of a member's value. The bytes must not be changed.
func (o *Object) Get(name string) ([]byte, bool) {
	m := o.find(name)
	if m == nil {
		return nil, false
	}
	return o.raw[m.valueStart:m.valueEnd:m.valueEnd], true
}

// Has says whether the object has a member.
func (o *Object) Has(name string) bool { return o.find(name) != nil }

// Raw returns the whole object as it was parsed. The bytes must not be changed.
func (o *Object) Raw() []byte { return o.raw }

// Len is the number of bytes of the object.
func (o *Object) Len() int { return len(o.raw) }
