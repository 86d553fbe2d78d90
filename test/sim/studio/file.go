package studio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
	"time"
)

// filePrefix is the path below which a studio serves files.
const filePrefix = "/files/"

// file is a result.
type file struct {
	contentType string
	data        []byte
	created     time.Time
}

// Publish stores a file and returns its address, as seen by whoever sent this request.
func (v *Visit) Publish(extension, contentType string, data []byte) string {
	name := fmt.Sprintf("%d.%s", v.Next(), extension)
	v.mu.Lock()
	v.files[name] = file{contentType: contentType, data: data, created: v.opts.Now()}
	v.mu.Unlock()
	path, _, _ := strings.Cut(v.R.RequestURI, "?")
	return "http://" + v.R.Host + strings.TrimSuffix(path, v.R.URL.Path) + filePrefix + name + "?sign=s3cr3t-signature"
}

// serveFile serves a result to whoever has its address, as a signed URL does; a credential has no business here.
func (s *Studio) serveFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f, ok := s.files[strings.TrimPrefix(r.URL.Path, filePrefix)]
	s.mu.Unlock()
	switch {
	case !ok || r.URL.Query().Get("sign") == "":
		http.NotFound(w, r)
	case r.Header.Get("Authorization") != "":
		http.Error(w, "only one way to authenticate is allowed", http.StatusBadRequest)
	default:
		w.Header().Set("Content-Type", f.contentType)
		http.ServeContent(w, r, "", f.created, bytes.NewReader(f.data))
	}
}

// picture is a plain image.
func picture(width, height int) image.Image {
	m := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.RGBA{R: 0x22, G: 0x66, B: 0xaa, A: 0xff}, color.White})
	for x := range min(width, height) {
		m.SetColorIndex(x, x, 1)
	}
	return m
}

// PNG is an image that opens.
func PNG(width, height int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, picture(width, height)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// JPEG is an image that opens.
func JPEG(width, height int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(width, height), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// PCM is a tone of 16 bit samples, mono.
func PCM(rate int, length time.Duration) []byte {
	samples := int(length * time.Duration(rate) / time.Second)
	data := make([]byte, 0, 2*samples)
	for i := range samples {
		level := int16(8000)
		if i*880/rate%2 == 0 { // a square wave of 440 Hz
			level = -level
		}
		data = binary.LittleEndian.AppendUint16(data, uint16(level))
	}
	return data
}

// WAV is a tone with a header.
func WAV(rate int, length time.Duration) []byte {
	data := PCM(rate, length)
	size := uint32(len(data))
	header := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, 36+size)...)
	header = append(header, "WAVEfmt "...)
	header = binary.LittleEndian.AppendUint32(header, 16)
	header = binary.LittleEndian.AppendUint16(header, 1)
	header = binary.LittleEndian.AppendUint16(header, 1)
	header = binary.LittleEndian.AppendUint32(header, uint32(rate))
	header = binary.LittleEndian.AppendUint32(header, uint32(2*rate))
	header = binary.LittleEndian.AppendUint16(header, 2)
	header = binary.LittleEndian.AppendUint16(header, 16)
	header = append(header, "data"...)
	header = binary.LittleEndian.AppendUint32(header, size)
	return append(header, data...)
}

// MP3 is silence: frames of MPEG 1 layer III, 128 kbit/s, 32 kHz, mono.
func MP3(length time.Duration) []byte {
	const frameBytes, frameTime = 576, 36 * time.Millisecond
	frame := append([]byte{0xff, 0xfb, 0x98, 0xc4}, make([]byte, frameBytes-4)...)
	return bytes.Repeat(frame, int(length/frameTime)+1)
}
