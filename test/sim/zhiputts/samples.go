package zhiputts

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

// sampleRate is that of every speech, in Hz; a sample has two bytes, there is one channel.
const sampleRate = 24000

// perCharacter is how long one character takes to speak.
const perCharacter = 60 * time.Millisecond

// beepTime is how long the watermark sounds before the speech.
const beepTime = 120 * time.Millisecond

// maxPiece bounds, in bytes, what is sent at once.
const maxPiece = 48 << 10

var bytesDirective = regexp.MustCompile(`\[\[bytes ([0-9]{1,9})\]\]`)

// sizeOf is how many bytes of samples the input becomes, without the watermark.
func sizeOf(input string) int {
	size := 2 * int(time.Duration(utf8.RuneCountInString(input))*perCharacter*sampleRate/time.Second)
	if m := bytesDirective.FindStringSubmatch(input); m != nil {
		// The pattern leaves nothing but digits, few enough for an int.
		size, _ = strconv.Atoi(m[1])
	}
	return max(size/2*2, 2)
}

// Beep is the audible watermark in front of a speech, 16 bit samples of 24000 Hz: a tone an octave above the speech.
func Beep() []byte { return studio.PCM(sampleRate/2, 2*beepTime) }

// pieces yields the samples, made while they are sent, in at least five pieces if there are enough. The watermark comes first.
func pieces(size int, marked bool) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if marked && !yield(Beep()) {
			return
		}
		loop, step := studio.PCM(sampleRate, time.Second), max(min(size/5, maxPiece)/2*2, 2)
		for at := 0; at < size; {
			from := at % len(loop)
			n := min(step, size-at, len(loop)-from)
			if !yield(loop[from : from+n]) {
				return
			}
			at += n
		}
	}
}

func wavHeader(size int) []byte {
	head := bytes.Clone(studio.WAV(sampleRate, 0))
	binary.LittleEndian.PutUint32(head[4:], uint32(36+size))
	binary.LittleEndian.PutUint32(head[40:], uint32(size))
	return head
}
