package studio_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

func TestMP4_boxesFillTheFileAndPointAtTheFrames(t *testing.T) {
	data := studio.MP4(5 * time.Second)
	var kinds []string
	for rest := data; len(rest) > 0; {
		size := binary.BigEndian.Uint32(rest)
		if size < 8 || int(size) > len(rest) {
			t.Fatalf("a box of %d bytes with %d left", size, len(rest))
		}
		kinds = append(kinds, string(rest[4:8]))
		rest = rest[size:]
	}
	if got := len(kinds); got != 3 || kinds[0] != "ftyp" || kinds[1] != "moov" || kinds[2] != "mdat" {
		t.Errorf("boxes = %v, want ftyp, moov, mdat", kinds)
	}
	head, frames, _ := bytes.Cut(data, []byte("mdat"))
	_, table, _ := bytes.Cut(head, []byte("stco"))
	if got, want := int(binary.BigEndian.Uint32(table[8:])), len(head)+4; got != want {
		t.Errorf("the first frame is said to be at %d, is at %d", got, want)
	}
	if bytes.Contains(frames, []byte{0, 0, 3}) {
		t.Error("the stream holds a sequence that decoders take for an escape")
	}
}

// TestMP4_opens asks a real player's parser and decoder, where there is one.
func TestMP4_opens(t *testing.T) {
	probe, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Skip("ffprobe is not installed")
	}
	for _, length := range []time.Duration{0, 400 * time.Millisecond, time.Second, 5 * time.Second, 15500 * time.Millisecond} {
		t.Run(length.String(), func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "v.mp4")
			if err := os.WriteFile(name, studio.MP4(length), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), probe, "-v", "warning", "-count_frames", "-show_streams", "-show_format", "-of", "json", name)
			var complaints bytes.Buffer
			cmd.Stderr = &complaints
			out, err := cmd.Output()
			if err != nil || complaints.Len() > 0 {
				t.Fatalf("ffprobe: %v %s", err, complaints.String())
			}
			var found struct {
				Streams []struct {
					Codec  string `json:"codec_name"`
					Width  int
					Height int
					Frames string `json:"nb_read_frames"`
				}
				Format struct{ Duration string }
			}
			if err := json.Unmarshal(out, &found); err != nil || len(found.Streams) != 1 {
				t.Fatalf("ffprobe said %s: %v", out, err)
			}
			s, want := found.Streams[0], max(length, time.Millisecond)
			frames := strconv.Itoa(int((want + time.Second - 1) / time.Second))
			if s.Codec != "h264" || s.Width != 256 || s.Height != 144 || s.Frames != frames {
				t.Errorf("stream = %+v, want %s frames of h264, 256x144", s, frames)
			}
			if got, err := strconv.ParseFloat(found.Format.Duration, 64); err != nil || got != want.Seconds() {
				t.Errorf("duration = %s, want %v", found.Format.Duration, want)
			}
		})
	}
}
