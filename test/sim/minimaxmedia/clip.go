package minimaxmedia

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
	// head is the header of a wav file.
	head []byte
	// loop is a second of audio, repeated as often as need be.
	loop []byte
	// unit is the smallest whole piece: a frame of mp3, a sample of pcm; perSecond and size are without head. All in bytes.
	unit, perSecond, size int
}

var bytesDirective = regexp.MustCompile(`\[\[bytes ([0-9]{1,9})\]\]`)

// newClip speaks the text. Only pcm and wav are made as ordered; every other format, flac and opus included, is silent mp3 of
// 32 kHz, one channel and 128 kbit/s under the name that was asked for, because no encoder is at hand.
func newClip(format string, rate, channels int, text string) clip {
	c := clip{unit: 2 * channels, perSecond: 2 * channels * rate}
	switch format {
	case "pcm", "wav":
		c.loop = studio.PCM(rate, time.Second)
		if channels == 2 {
			c.loop = stereo(c.loop)
		}
	default:
		const frame = 36 * time.Millisecond
		c = clip{loop: studio.MP3(27 * frame), unit: len(studio.MP3(0)), perSecond: 16000}
	}
	length := time.Duration(utf8.RuneCountInString(text)) * perCharacter
	c.size = int(length * time.Duration(c.perSecond) / time.Second)
	if m := bytesDirective.FindStringSubmatch(text); m != nil {
		// The pattern leaves nothing but digits, few enough for an int.
		c.size, _ = strconv.Atoi(m[1])
	}
	c.size = max(c.size-c.size%c.unit, c.unit)
	if format == "wav" {
		c.head = wavHeader(rate, channels, c.size)
	}
	return c
}

// stereo doubles the samples.
func stereo(mono []byte) []byte {
	both := make([]byte, 0, 2*len(mono))
	for i := 0; i+1 < len(mono); i += 2 {
		both = append(both, mono[i], mono[i+1], mono[i], mono[i+1])
	}
	return both
}

func wavHeader(rate, channels, size int) []byte {
	head := bytes.Clone(studio.WAV(rate, 0))
	binary.LittleEndian.PutUint32(head[4:], uint32(36+size))
	binary.LittleEndian.PutUint16(head[22:], uint16(channels))
	binary.LittleEndian.PutUint32(head[28:], uint32(2*channels*rate))
	binary.LittleEndian.PutUint16(head[32:], uint16(2*channels))
	binary.LittleEndian.PutUint32(head[40:], uint32(size))
	return head
}

// total is the size with the header, in bytes.
func (c clip) total() int { return len(c.head) + c.size }

func (c clip) length() time.Duration {
	return time.Duration(c.size) * time.Second / time.Duration(c.perSecond)
}

// pieces yields the audio in at least five pieces of whole units, if it is that long.
func (c clip) pieces() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(c.head) > 0 && !yield(c.head) {
			return
		}
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

// whole is the audio in one.
func (c clip) whole() []byte {
	data := make([]byte, 0, c.total())
	for piece := range c.pieces() {
		data = append(data, piece...)
	}
	return data
}
