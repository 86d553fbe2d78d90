package mureka

import (
	"bytes"
	"testing"
	"time"
)

func TestCRC_checkValues(t *testing.T) {
	// The check values of CRC-8/SMBUS and CRC-16/UMTS.
	if got := crc([]byte("123456789"), 8, 0x07); got != 0xf4 {
		t.Errorf("crc of 8 bits = %#x", got)
	}
	if got := crc([]byte("123456789"), 16, 0x8005); got != 0xfee8 {
		t.Errorf("crc of 16 bits = %#x", got)
	}
}

func TestFLAC_holdsItsWholeLength(t *testing.T) {
	for length, frames := range map[time.Duration]int{time.Second: 8, 128 * time.Millisecond: 1, 129 * time.Millisecond: 2, time.Minute: 469} {
		data := flac(length)
		if got := bytes.Count(data, []byte{0xff, 0xf8, 0xc8, 0x08}); got != frames || !bytes.HasPrefix(data, []byte("fLaC\x80\x00\x00\x22")) {
			t.Errorf("%s: %d frames, want %d", length, got, frames)
		}
		// The sum over a frame and its own sum is 0.
		last := data[bytes.LastIndex(data, []byte{0xff, 0xf8, 0xc8, 0x08}):]
		if sum := crc(last, 16, 0x8005); sum != 0 {
			t.Errorf("%s: the last frame's sum is %#x", length, sum)
		}
		samples := int(data[21]&0x0f)<<32 | int(data[22])<<24 | int(data[23])<<16 | int(data[24])<<8 | int(data[25])
		if samples != frames*flacSamples {
			t.Errorf("%s: %d samples, want %d", length, samples, frames*flacSamples)
		}
	}
}
