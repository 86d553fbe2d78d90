package openaicompat

import "bytes"

const (
	// trustAfter is how many chunks in a row must have had a shape, and been translated the same way, before it is relied on: what
	// the first chunk of a stream changes in the translator (a role told once, an id remembered) has settled by then.
	trustAfter = 2
	// shapeTries is after how many chunks that didn't fit the search for a shape is given up: some vendors vary every chunk.
	shapeTries = 16
)

// textKeys are what stands before the text of a chunk.
var textKeys = [...][]byte{[]byte(`"content":"`), []byte(`"reasoning_content":"`)}

// shape is what the chunks of a stream have in common: all but the text is the same, byte for byte, in hundreds of them. Once
// that was seen, a chunk that differs only in its text is put together from its known translation. It changes nothing but the
// time that takes; whatever does not fit goes the long way.
type shape struct {
	prefix, suffix       []byte // around the text of the vendor's chunk
	outPrefix, outSuffix []byte // around the text of ours
	seen, misfits        int
}

// match returns the text of a chunk that fits a trusted shape. Text with escapes goes the long way, which validates them.
func (s *shape) match(data []byte) (text []byte, ok bool) {
	n := len(data) - len(s.suffix)
	if s.seen < trustAfter || n <= len(s.prefix) || !bytes.HasPrefix(data, s.prefix) || !bytes.HasSuffix(data, s.suffix) {
		return nil, false
	}
	text = data[len(s.prefix):n]
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' {
			return nil, false
		}
	}
	return text, true
}

// apply appends the translation of a chunk with a text that match returned.
func (s *shape) apply(dst, text []byte) []byte {
	dst = append(dst, s.outPrefix...)
	dst = append(dst, text...)
	return append(dst, s.outSuffix...)
}

// learn notes the shape of a chunk that went the long way, and of its translation.
func (s *shape) learn(data, out []byte) {
	if s.misfits >= shapeTries {
		return
	}
	prefix, suffix, key := cutText(data)
	outPrefix, outSuffix, outKey := cutText(out)
	if key < 0 || key != outKey {
		s.misfits++
		return
	}
	if bytes.Equal(prefix, s.prefix) && bytes.Equal(suffix, s.suffix) && bytes.Equal(outPrefix, s.outPrefix) && bytes.Equal(outSuffix, s.outSuffix) {
		s.seen++
		return
	}
	s.misfits++
	s.seen = 1
	s.prefix, s.suffix = append(s.prefix[:0], prefix...), append(s.suffix[:0], suffix...)
	s.outPrefix, s.outSuffix = append(s.outPrefix[:0], outPrefix...), append(s.outSuffix[:0], outSuffix...)
}

// cutText cuts a chunk around its text, and returns which key that has; -1 if there is not exactly one text that is plain and not
// empty. Within a JSON string the quotes of a key would be escaped, so what looks like a key is one.
func cutText(data []byte) (prefix, suffix []byte, key int) {
	key = -1
	for k, name := range textKeys {
		i := bytes.Index(data, name)
		if i < 0 {
			continue
		}
		if i += len(name); bytes.Contains(data[i:], name) {
			return nil, nil, -1
		}
		n := bytes.IndexByte(data[i:], '"')
		if n <= 0 {
			continue // empty
		}
		if key >= 0 || bytes.IndexByte(data[i:i+n], '\\') >= 0 {
			return nil, nil, -1
		}
		prefix, suffix, key = data[:i], data[i+n:], k
	}
	return prefix, suffix, key
}
