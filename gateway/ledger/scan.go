package ledger

import "strings"

// scanner reads what append has written and nothing else: no space, no other order, no other spelling of a number. The first
// surprise sets bad, after which nothing is read any more.
type scanner struct {
	text string
	at   int
	bad  bool
}

// fail notes a surprise.
func (s *scanner) fail() { s.bad = true }

// literal reads a text.
func (s *scanner) literal(want string) {
	if s.bad || !strings.HasPrefix(s.text[s.at:], want) {
		s.fail()
		return
	}
	s.at += len(want)
}

// take reads a byte if it comes next.
func (s *scanner) take(c byte) bool {
	if s.bad || s.at == len(s.text) || s.text[s.at] != c {
		return false
	}
	s.at++
	return true
}

// follows reads a text if it comes next.
func (s *scanner) follows(text string) bool {
	if s.bad || !strings.HasPrefix(s.text[s.at:], text) {
		return false
	}
	s.at += len(text)
	return true
}

// number reads an integer from 0 to limit.
func (s *scanner) number(limit int64) int64 {
	start := s.at
	var n int64
	for !s.bad && s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		digit := int64(s.text[s.at] - '0')
		if digit > limit || n > (limit-digit)/10 {
			s.fail()
			return 0
		}
		n = n*10 + digit
		s.at++
	}
	if s.at == start || (s.text[start] == '0' && s.at > start+1) {
		s.fail()
		return 0
	}
	return n
}

// member reads a number after what comes before it.
func (s *scanner) member(before string, limit int64) int64 {
	s.literal(before)
	return s.number(limit)
}

// name reads a plain name of at most limit bytes.
func (s *scanner) name(limit int) string {
	text := s.quoted()
	if !plain(text, limit) {
		s.fail()
	}
	return text
}

// quoted reads what is between two quotes.
func (s *scanner) quoted() string {
	s.literal(`"`)
	if s.bad {
		return ""
	}
	end := strings.IndexByte(s.text[s.at:], '"')
	if end < 0 {
		s.fail()
		return ""
	}
	text := s.text[s.at : s.at+end]
	s.at += end + 1
	return text
}

// list reads items separated by commas, from after the opening bracket to after the closing one.
func (s *scanner) list(closing byte, item func()) {
	if s.take(closing) {
		return
	}
	for !s.bad {
		item()
		if s.take(closing) {
			return
		}
		s.literal(",")
	}
}
