package jsonscan

import "bytes"

// TextSize returns how many bytes of UTF-8 a JSON string holds; of any other value, its own length.
func TextSize(value []byte) int {
	if len(value) < 2 || value[0] != '"' {
		return len(value)
	}
	size, _, _ := Text(value, 0)
	return size
}

// Text returns how many bytes of UTF-8 the JSON string holds that begins at i, and where it ends. It is for text that is known to be
// valid, and checks nothing of it: not ok means that the string has no end.
func Text(raw []byte, i int) (size, end int, ok bool) {
	quote := i
	for i++; ; {
		if quote < i { // found once, and again only behind an escaped one
			n := -1
			if i < len(raw) {
				n = bytes.IndexByte(raw[i:], '"')
			}
			if n < 0 {
				return size, len(raw), false
			}
			quote = i + n
		}
		plain := bytes.IndexByte(raw[i:quote], '\\')
		if plain < 0 {
			return size + quote - i, quote + 1, true
		}
		i += plain
		escape, encoded := escapeSize(raw[i:])
		size += plain + encoded
		i += escape
	}
}

// escapeSize returns how long the escape is that text begins with, and how many bytes of UTF-8 it stands for.
func escapeSize(text []byte) (escape, encoded int) {
	if len(text) < 2 || text[1] != 'u' {
		return 2, 1
	}
	switch unit := hex(text[2:]); {
	case unit < 0x80:
		return 6, 1
	case unit < 0x800:
		return 6, 2
	case unit>>10 == 0xd8>>2 && len(text) >= 12 && text[6] == '\\' && text[7] == 'u': // a pair
		return 12, 4
	}
	return 6, 3
}

// hex reads four digits; what is none counts as 0.
func hex(b []byte) (n int) {
	for _, c := range b[:min(4, len(b))] {
		n <<= 4
		switch {
		case IsDigit(c):
			n |= int(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			n |= int(c|0x20-'a') + 10
		}
	}
	return n
}
