package doubao

import (
	"bytes"
	"encoding/binary"
	"iter"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// perCharacter is how long one character takes to speak.
const perCharacter = 60 * time.Millisecond

// maxPiece bounds, in bytes, what is sent at once.
const maxPiece = 48 << 10

// clip is audio that is made while it is sent, so that a long one costs no memory.
type clip struct {
	rate int
	// loop is a second of audio, repeated as often as need be.
	loop []byte
	// unit is the smallest whole piece: a frame of mp3, a sample of pcm. All in bytes.
	unit, perSecond, size int
}

var bytesDirective = regexp.MustCompile(`\[\[bytes ([0-9]{1,9})\]\]`)

// newClip speaks the text. pcm and wav are made as ordered, a wav without its header; mp3 and ogg_opus are silent mp3 of 32 kHz
// and 128 kbit/s whatever was ordered: for opus no encoder is at hand, so that only the name is right.
func newClip(format string, rate int, text string) clip {
	c := clip{rate: rate, unit: 2, perSecond: 2 * rate}
	switch format {
	case "pcm", "wav":
		c.loop = studio.PCM(rate, time.Second)
	default:
		const frame = 36 * time.Millisecond
		c = clip{rate: 32000, loop: studio.MP3(27 * frame), unit: len(studio.MP3(0)), perSecond: 16000}
	}
	length := time.Duration(utf8.RuneCountInString(text)) * perCharacter
	c.size = int(length * time.Duration(c.perSecond) / time.Second)
	if m := bytesDirective.FindStringSubmatch(text); m != nil {
		// The pattern leaves nothing but digits, few enough for an int.
		c.size, _ = strconv.Atoi(m[1])
	}
	c.size = max(c.size-c.size%c.unit, c.unit)
	return c
}

func (c clip) length() time.Duration {
	return time.Duration(c.size) * time.Second / time.Duration(c.perSecond)
}

// header is that of a wav file with so many bytes of samples.
func (c clip) header(size int) []byte {
	head := bytes.Clone(studio.WAV(c.rate, 0))
	binary.LittleEndian.PutUint32(head[4:], uint32(36+size))
	binary.LittleEndian.PutUint32(head[40:], uint32(size))
	return head
}

// pieces yields the audio in at least five pieces of whole units, if it is that long.
func (c clip) pieces() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		step := max(min(c.size/5, maxPiece)/c.unit*c.unit, c.unit)
		for at := 0; at < c.size; {
			from := at % len(c.loop)
			n := min(step, c.size-at, len(c.loop)-from)
			if !yield(c.loop[from : from+n]) {
				return
			}
			at += n
		}
	}
}
