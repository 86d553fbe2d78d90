package openaicompat

import (
	"slices"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
)

// members walks over the members of an object in valid JSON.
type members struct {
	data []byte
	// start and name are the places of the current member: of the opening quote and of what is quoted.
	start   int
	nameEnd int
	value   int
	end     int
	// prev is the end of the member before the current one, or the place after the brace.
	prev int
	// kept says that a member before the current one stays; dropped that the current one does not.
	kept, dropped bool
	// closed says that nextValid came to the closing brace.
	closed bool
}

// membersOf starts a walk over the object whose brace is at i.
func membersOf(data []byte, i int) members {
	return members{data: data, end: i + 1, dropped: true}
}

// next steps to the next member. After the last one, end is the place of the closing brace.
func (m *members) next() bool {
	m.kept = m.kept || !m.dropped
	m.dropped = false
	m.prev = m.end
	i := jsonscan.Space(m.data, m.end)
	if m.data[i] == ',' {
		i = jsonscan.Space(m.data, i+1)
	}
	if m.data[i] == '}' {
		m.end = i
		return false
	}
	m.start = i
	i, _ = jsonscan.String(m.data, i)
	m.nameEnd = i - 1
	m.value = jsonscan.Space(m.data, jsonscan.Space(m.data, i)+1)
	m.end, _ = jsonscan.Value(m.data, m.value, maxDepth)
	return true
}

// nextValid is next over JSON that may be anything: it stops at the first fault. At the end closed says whether the object ended
// well.
func (m *members) nextValid() (ok bool) {
	m.kept = m.kept || !m.dropped
	m.dropped = false
	m.prev = m.end
	i := jsonscan.Space(m.data, m.end)
	if i < len(m.data) && m.data[i] == '}' {
		m.end, m.closed = i, true
		return false
	}
	if m.end > 1 {
		if i >= len(m.data) || m.data[i] != ',' {
			return false
		}
		i = jsonscan.Space(m.data, i+1)
	}
	if i >= len(m.data) || m.data[i] != '"' {
		return false
	}
	m.start = i
	if i, ok = jsonscan.String(m.data, i); !ok {
		return false
	}
	m.nameEnd = i - 1
	if i = jsonscan.Space(m.data, i); i >= len(m.data) || m.data[i] != ':' {
		return false
	}
	m.value = jsonscan.Space(m.data, i+1)
	m.end, ok = jsonscan.Value(m.data, m.value, maxDepth)
	return ok
}

// name returns the current member's name as it is written.
func (m *members) name() []byte { return m.data[m.start+1 : m.nameEnd] }

// raw returns the current member's value.
func (m *members) raw() []byte { return m.data[m.value:m.end] }

// span returns the place of the current member's value.
func (m *members) span() span { return span{m.value, m.end} }

// drop removes the current member with the comma that separates it.
func (m *members) drop(e *edits) {
	m.dropped = true
	if m.kept {
		e.replace(m.prev, m.end, "")
		return
	}
	i := jsonscan.Space(m.data, m.end)
	if i < len(m.data) && m.data[i] == ',' { // What follows may not be checked yet.
		i = jsonscan.Space(m.data, i+1)
	}
	e.replace(m.start, i, "")
}

// elements walks over the elements of an array of objects in valid JSON. Whoever reads an element sets end to the place after it,
// so that nothing is read twice.
type elements struct {
	data       []byte
	start, end int
}

// elementsOf starts a walk over the array whose bracket is at i.
func elementsOf(data []byte, i int) elements { return elements{data: data, end: i + 1} }

// next steps to the next element.
func (l *elements) next() bool {
	i := jsonscan.Space(l.data, l.end)
	if l.data[i] == ',' {
		i = jsonscan.Space(l.data, i+1)
	}
	if l.data[i] == ']' {
		return false
	}
	l.start = i
	return true
}

// span is a stretch of a text; the zero value means that there is none, since no value starts at 0 but the text itself.
type span struct{ start, end int }

// there says that the span is one.
func (s span) there() bool { return s.end != 0 }

// of returns the stretch of data.
func (s span) of(data []byte) []byte { return data[s.start:s.end] }

// edits are changes to a text, made in any order. They must not overlap. The memory is kept from one text to the next.
type edits struct {
	cuts []cut
	text []byte
}

// cut replaces text[start:end] by edits.text[from:to].
type cut struct{ start, end, from, to int }

// reset forgets all changes.
func (e *edits) reset() { e.cuts, e.text = e.cuts[:0], e.text[:0] }

// replace puts a string in the place of a stretch, which may be empty.
func (e *edits) replace(start, end int, with string) {
	from := len(e.text)
	e.text = append(e.text, with...)
	e.cuts = append(e.cuts, cut{start, end, from, len(e.text)})
}

// replaceBytes is replace for bytes, which are copied.
func (e *edits) replaceBytes(start, end int, with []byte) {
	from := len(e.text)
	e.text = append(e.text, with...)
	e.cuts = append(e.cuts, cut{start, end, from, len(e.text)})
}

// insertMember puts a member before the closing brace at a place; comma says that a member stands before it. The value is JSON.
func insertMember[T string | []byte](e *edits, at int, comma bool, name string, value T) {
	from := len(e.text)
	if comma {
		e.text = append(e.text, ',')
	}
	e.text = append(e.text, '"')
	e.text = append(e.text, name...)
	e.text = append(e.text, '"', ':')
	e.text = append(e.text, value...)
	e.cuts = append(e.cuts, cut{at, at, from, len(e.text)})
}

// byStart orders cuts by their places.
func byStart(a, b cut) int { return a.start - b.start }

// apply appends the changed text to dst.
func (e *edits) apply(dst, src []byte) []byte {
	if !slices.IsSortedFunc(e.cuts, byStart) {
		slices.SortStableFunc(e.cuts, byStart)
	}
	at := 0
	for _, c := range e.cuts {
		dst = append(dst, src[at:c.start]...)
		dst = append(dst, e.text[c.from:c.to]...)
		at = c.end
	}
	return append(dst, src[at:]...)
}
