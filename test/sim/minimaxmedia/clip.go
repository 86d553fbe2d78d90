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
	// head is what a file begins with: the header of wav or flac.
	head []byte
	// loop is a second of audio or less, repeated as often as need be.
	loop []byte
	// unit is the smallest whole piece: a frame of mp3 or flac, a sample of pcm. perSecond and size are without head, and of flac
	// before it is packed. All in bytes.
	unit, perSecond, size int
	rate, channels        int
	flac                  bool
}

var bytesDirective = regexp.MustCompile(`\[\[bytes ([0-9]{1,9})\]\]`)

// newClip speaks the text. pcm, wav and flac are made as ordered. mp3 is silence of 32 kHz, one channel and 128 kbit/s whatever
// was ordered; so are opus and the pcmu formats, whose names alone are right, because no encoder is at hand.
func newClip(format string, rate, channels int, text string) clip {
	c := clip{unit: 2 * channels, perSecond: 2 * channels * rate, rate: rate, channels: channels, flac: format == "flac"}
	switch format {
	case "pcm", "wav", "flac":
		c.loop = studio.PCM(rate, time.Second)
		if channels == 2 {
			c.loop = stereo(c.loop)
		}
	default:
		const frame = 36 * time.Millisecond
		c = clip{loop: studio.MP3(27 * frame), unit: len(studio.MP3(0)), perSecond: 16000}
	}
	if c.flac {
		c.unit *= flacSamples
		c.head, c.loop = flacHead(rate, channels), c.loop[:c.unit]
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

// total is the size of the whole file, in bytes.
func (c clip) total() int {
	total := len(c.head) + c.size
	if c.flac {
		for n := range c.size / c.unit {
			total += len(flacFrame(n, nil, c.rate, c.channels))
		}
	}
	return total
}

func (c clip) length() time.Duration {
	return time.Duration(c.size) * time.Second / time.Duration(c.perSecond)
}

// pieces yields the audio in at least five pieces of whole units, if it is that long.
func (c clip) pieces() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(c.head) > 0 && c.size > 0 && !yield(c.head) {
			return
		}
		step := max(min(c.size/5, maxPiece)/c.unit*c.unit, c.unit)
		for at := 0; at < c.size; {
			from := at % len(c.loop)
			piece := c.loop[from:min(from+min(step, c.size-at), len(c.loop))]
			at += len(piece)
			if c.flac {
				piece = flacFrame(at/c.unit-1, piece, c.rate, c.channels)
			}
			if !yield(piece) {
				return
			}
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
