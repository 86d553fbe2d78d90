package minimaxmedia

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

// flacSamples is the number of samples of a frame, per channel.
const flacSamples = 4096

// flacHead begins a stream after RFC 9639: the only block of metadata, for 16 bits a sample. How long the stream is stays unsaid.
func flacHead(rate, channels int) []byte {
	head := append([]byte("fLaC"), 0x80, 0, 0, 34)
	head = binary.BigEndian.AppendUint16(head, flacSamples)
	head = binary.BigEndian.AppendUint16(head, flacSamples)
	head = append(head, make([]byte, 6)...) // sizes of frames
	head = binary.BigEndian.AppendUint64(head, uint64(rate)<<44|uint64(channels-1)<<41|15<<36)
	return append(head, make([]byte, 16)...) // sum of the samples
}

// flacFrame is the nth frame: samples as they are, which in pcm are interleaved and have their low byte first. The rate is one of
// those that a speech can have; each has a number in the format.
func flacFrame(n int, pcm []byte, rate, channels int) []byte {
	number := 4 + slices.Index([]int{8000, 16000, 22050, 24000, 32000, 44100}, rate)
	frame := []byte{0xff, 0xf8, byte(0xc0 | number), byte(channels-1)<<4 | 8}
	frame = utf8.AppendRune(frame, rune(n))
	frame = append(frame, byte(crc(frame, 8, 0x07)))
	for channel := range channels {
		frame = append(frame, 2) // a verbatim subframe
		for at := 2 * channel; at < len(pcm); at += 2 * channels {
			frame = append(frame, pcm[at+1], pcm[at])
		}
	}
	return binary.BigEndian.AppendUint16(frame, crc(frame, 16, 0x8005))
}

// crc is a cyclic redundancy check of the given width in bits, which begins with 0.
func crc(data []byte, width int, polynomial uint16) uint16 {
	polynomial <<= 16 - width
	var sum uint16
	for _, b := range data {
		sum ^= uint16(b) << 8
		for range 8 {
			over := sum >> 15
			sum = sum<<1 ^ over*polynomial
		}
	}
	return sum >> (16 - width)
}
