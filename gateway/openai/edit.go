package openai

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
)

// Edit is a set of changes to the top-level members of an Object. The object's bytes are never copied or changed: Body
// strings unchanged stretches and new values together. Later changes to a member replace earlier ones. An Edit is used by one
// goroutine.
type Edit struct {
	object  *Object
	changes []change
}

// change is what becomes of one member; a nil value removes it.
type change struct {
	name  string
	value []byte
}

// Edit starts a set of changes.
func (o *Object) Edit() *Edit { return &Edit{object: o} }

// Get returns a member's value as it will be.
func (e *Edit) Get(name string) ([]byte, bool) {
	if c := e.find(name); c != nil {
		return c.value, c.value != nil
	}
	return e.object.Get(name)
}

// Has says whether the member will be there.
func (e *Edit) Has(name string) bool {
	_, ok := e.Get(name)
	return ok
}

// Set gives a member a value, which must be valid JSON and is kept.
func (e *Edit) Set(name string, value []byte) {
	if c := e.find(name); c != nil {
		c.value = value
		return
	}
	e.changes = append(e.changes, change{name: name, value: value})
}

// SetString gives a member a string value.
func (e *Edit) SetString(name, value string) { e.Set(name, AppendString(nil, value)) }

// Delete removes a member.
func (e *Edit) Delete(name string) {
	if c := e.find(name); c != nil {
		c.value = nil
		return
	}
	if e.object.Has(name) {
		e.changes = append(e.changes, change{name: name})
	}
}

// Rename moves a member's value to another name, unless that one is there already, in which case the member is removed.
func (e *Edit) Rename(from, to string) {
	value, ok := e.Get(from)
	if !ok || from == to {
		return
	}
	if !e.Has(to) {
		e.Set(to, value)
	}
	e.Delete(from)
}

// find returns the pending change of a member, or nil.
func (e *Edit) find(name string) *change {
	for i := range e.changes {
		if e.changes[i].name == name {
			return &e.changes[i]
		}
	}
	return nil
}

// Body returns the changed object. It shares the object's bytes.
func (e *Edit) Body() *Body {
	b := &Body{}
	b.add(openBrace)
	first := true
	for i := range e.object.members {
		m := &e.object.members[i]
		value, pending := e.object.raw[m.valueStart:m.valueEnd], e.find(m.name)
		if pending != nil {
			value = pending.value
		}
		if value == nil {
			continue
		}
		if !first {
			b.add(comma)
		}
		first = false
		if pending == nil {
			b.add(e.object.raw[m.keyStart:m.valueEnd])
			continue
		}
		b.add(e.object.raw[m.keyStart:m.valueStart])
		b.add(value)
	}
	for _, c := range e.changes {
		if c.value == nil || e.object.Has(c.name) {
			continue
		}
		if !first {
			b.add(comma)
		}
		first = false
		b.add(append(AppendString(nil, c.name), ':'))
		b.add(c.value)
	}
	b.add(closeBrace)
	return b
}

// Punctuation between members.
var (
	openBrace  = []byte{'{'}
	closeBrace = []byte{'}'}
	comma      = []byte{','}
)

// Body is a request body in pieces. It is immutable and can be read any number of times, also at once.
type Body struct {
	pieces [][]byte
	length int
}

// add appends a piece, joining it to the last one where they are neighbours in memory.
func (b *Body) add(p []byte) {
	b.pieces = append(b.pieces, p)
	b.length += len(p)
}

// Len is the number of bytes.
func (b *Body) Len() int64 { return int64(b.length) }

// Bytes returns the whole body in one slice.
func (b *Body) Bytes() []byte { return slices.Concat(b.pieces...) }

// NewReader returns a reader from the start.
func (b *Body) NewReader() io.ReadCloser { return &bodyReader{pieces: b.pieces} }

// bodyReader reads the pieces in turn. It writes them without a buffer of its own where the other side can take them.
type bodyReader struct {
	pieces [][]byte
	reader bytes.Reader
}

// Read implements io.Reader. It fills p from as many pieces as fit: the transport writes what a Read returns with a system call of
// its own, and most pieces are a few bytes.
func (r *bodyReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if r.reader.Len() == 0 {
			if len(r.pieces) == 0 {
				break
			}
			r.reader.Reset(r.pieces[0])
			r.pieces = r.pieces[1:]
		}
		m, _ := r.reader.Read(p[n:]) // a piece that is empty says EOF; the next one follows
		n += m
	}
	if n == 0 && len(p) > 0 {
		r.pieces = nil // what was sent need not be kept by a request that waits for its answer
		r.reader.Reset(nil)
		return 0, io.EOF
	}
	return n, nil
}

// WriteTo implements io.WriterTo.
func (r *bodyReader) WriteTo(w io.Writer) (int64, error) {
	total, err := r.reader.WriteTo(w)
	for err == nil && len(r.pieces) > 0 {
		var n int
		n, err = w.Write(r.pieces[0])
		r.pieces = r.pieces[1:]
		total += int64(n)
	}
	return total, err
}

// Close implements io.Closer.
func (r *bodyReader) Close() error { return nil }

// AppendString appends s as a JSON string.
func AppendString(dst []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		dst = append(dst, '"')
		dst = append(dst, s...)
		return append(dst, '"')
	}
	return appendEscaped(dst, s)
}

// appendEscaped appends a string that needs escapes.
func appendEscaped(dst []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return append(dst, '"', '"') // Marshal of a string does not fail.
	}
	return append(dst, b...)
}
