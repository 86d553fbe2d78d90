package mureka

import (
	"encoding/binary"
	"time"
	"unicode/utf8"
)

// Frames of 4096 samples at 32 kHz, 16 bits, mono: 128 ms each.
const (
	flacRate    = 32000
	flacSamples = 4096
)

// flac is silence after RFC 9639, rounded up to whole frames: the stream's description, then frames of one constant sample.
func flac(length time.Duration) []byte {
	samples := int(length * flacRate / time.Second)
	frames := (samples + flacSamples - 1) / flacSamples
	data := append([]byte("fLaC"), 0x80, 0, 0, 34) // the last and only block of metadata
	data = binary.BigEndian.AppendUint16(data, flacSamples)
	data = binary.BigEndian.AppendUint16(data, flacSamples)
	data = append(data, make([]byte, 6)...) // frame sizes: unknown
	data = binary.BigEndian.AppendUint64(data, flacRate<<44|15<<36|uint64(frames*flacSamples))
	data = append(data, make([]byte, 16)...) // checksum of the samples: unknown
	for i := range frames {
		frame := []byte{0xff, 0xf8, 0xc8, 0x08} // fixed blocks of 4096 samples, 32 kHz, mono, 16 bits
		frame = utf8.AppendRune(frame, rune(i))
		frame = append(frame, byte(crc(frame, 8, 0x07)), 0, 0, 0) // the header's sum, and a constant subframe of value 0
		data = append(data, binary.BigEndian.AppendUint16(frame, crc(frame, 16, 0x8005))...)
	}
	return data
}

// crc is a cyclic redundancy check of 8 or 16 bits that begins with 0.
func crc(data []byte, width int, polynomial uint16) uint16 {
	sum, top := uint16(0), uint16(1)<<(width-1)
	for _, b := range data {
		sum ^= uint16(b) << (width - 8)
		for range 8 {
			carry := sum&top != 0
			sum <<= 1
			if carry {
				sum ^= polynomial
			}
		}
	}
	return sum & (top | (top - 1))
}
