package jsonscan

import "bytes"

// TextSize returns how many bytes of UTF-8 a JSON string holds; of any other value, its own length.
func TextSize(value []byte) int {
	if len(value) < 2 || value[0] != '"' {
		return len(value)
	}
	text := value[1 : len(value)-1]
	size := len(text)
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 || i+1 >= len(text) {
			return size
		}
		if text[i+1] != 'u' {
			size--
			text = text[i+2:]
			continue
		}
		escape, encoded := 6, 3
		switch unit := hex(text[i+2:]); {
		case unit < 0x80:
			encoded = 1
		case unit < 0x800:
			encoded = 2
		case unit>>10 == 0xd8>>2 && len(text) >= i+12: // a pair
			escape, encoded = 12, 4
		}
		size += encoded - escape
		text = text[min(i+escape, len(text)):]
	}
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
