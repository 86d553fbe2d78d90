package openai

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"
	"unsafe"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
)

// Errors of ParseObject.
var (
	// ErrNotJSON means that the bytes are not JSON.
	ErrNotJSON = errors.New("not valid JSON")
	// ErrNotObject means that the JSON is not an object.
	ErrNotObject = errors.New("not a JSON object")
	// ErrTooManyMembers means that the object has more members than any request.
	ErrTooManyMembers = errors.New("too many members")
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

const (
	// fewMembers is up to how many members a scan beats a map.
	fewMembers = 48
	// maxMembers bounds what an object of many tiny members costs: the places of its members would take many times its own
	// bytes. Requests have some dozens.
	maxMembers = 4096
)

// member is the place of one member within raw.
type member struct {
	name       string
	keyStart   int
	valueStart int
	valueEnd   int
}

// ParseObject finds the members of a JSON object. It keeps raw, which must not change afterwards. Errors are ErrNotJSON (also
// for what is nested absurdly deep), ErrNotObject, ErrTooManyMembers or a *DuplicateMemberError.
func ParseObject(raw []byte) (*Object, error) {
	o := &Object{raw: raw, members: make([]member, 0, 16)}
	i := jsonscan.Space(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		if jsonscan.Valid(raw) {
			return nil, ErrNotObject
		}
		return nil, ErrNotJSON
	}
	if err := o.scan(i + 1); err != nil {
		return nil, err
	}
	if twin := o.twin(); twin != nil {
		return nil, &DuplicateMemberError{Name: strings.Clone(twin.name)}
	}
	return o, nil
}

// twin returns the first member whose name stands before it already, or nil.
func (o *Object) twin() *member {
	if len(o.members) <= fewMembers {
		for i := range o.members {
			if o.find(o.members[i].name) != &o.members[i] {
				return &o.members[i]
			}
		}
		return nil
	}
	seen := make(map[string]struct{}, len(o.members))
	for i := range o.members {
		seen[o.members[i].name] = struct{}{}
		if len(seen) != i+1 {
			return &o.members[i]
		}
	}
	return nil
}

// scan notes the members that begin at i, up to the object's end, after which nothing may follow.
func (o *Object) scan(i int) error {
	if i = jsonscan.Space(o.raw, i); i < len(o.raw) && o.raw[i] == '}' {
		return o.end(i + 1)
	}
	for {
		m, next, ok := scanMember(o.raw, jsonscan.Space(o.raw, i))
		if !ok || next >= len(o.raw) {
			return ErrNotJSON
		}
		if o.members = append(o.members, m); len(o.members) > maxMembers {
			return ErrTooManyMembers
		}
		switch i = next + 1; o.raw[next] {
		case ',':
		case '}':
			return o.end(i)
		default:
			return ErrNotJSON
		}
	}
}

// end wants nothing but white space from i on.
func (o *Object) end(i int) error {
	if jsonscan.Space(o.raw, i) != len(o.raw) {
		return ErrNotJSON
	}
	return nil
}

// scanMember reads the member that begins at i, and returns the place of what follows its value.
func scanMember(raw []byte, i int) (m member, next int, ok bool) {
	m.keyStart = i
	if i, ok = jsonscan.Key(raw, i); !ok {
		return m, i, false
	}
	m.name = memberName(raw[m.keyStart:i])
	m.valueStart = jsonscan.Space(raw, i)
	if m.valueEnd, ok = jsonscan.Value(raw, m.valueStart, jsonscan.MaxDepth-1); !ok {
		return m, m.valueEnd, false
	}
	return m, jsonscan.Space(raw, m.valueEnd), true
}

// memberName decodes a name that stands before a colon. Names without escapes, which is all that occur, share the memory of the
// body, which never changes and lives as long as the object.
func memberName(key []byte) string {
	if quote := bytes.IndexByte(key[1:], '"') + 1; bytes.IndexByte(key[:quote], '\\') < 0 {
		return unsafe.String(unsafe.SliceData(key[1:]), quote-1) //nolint:gosec // see above: nobody writes to these bytes
	}
	return gjson.ParseBytes(key[:bytes.LastIndexByte(key, '"')+1]).Str
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

// Names yields the names of the members in their order.
func (o *Object) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range o.members {
			if !yield(o.members[i].name) {
				return
			}
		}
	}
}

// Raw returns the whole object as it was parsed. The bytes must not be changed.
func (o *Object) Raw() []byte { return o.raw }

// Len is the number of bytes of the object.
func (o *Object) Len() int { return len(o.raw) }
