package doubaospeech

import "encoding/binary"

// bytesPerSample is the size of a sample of pcm. There is one channel.
const bytesPerSample = 2

// wavHeader is the header of a WAV file of 16 bit samples whose length is not known yet. Both sizes are 0xffffffff, as those of
// OpenAI's own streams and of what ffmpeg writes into a pipe: browsers, ffmpeg and Python's wave read such a file to its end. The
// rate is in Hz.
func wavHeader(rate int) []byte {
	const unknown = 0xffffffff
	h := make([]byte, 0, 44)
	h = binary.LittleEndian.AppendUint32(append(h, "RIFF"...), unknown)
	h = binary.LittleEndian.AppendUint32(append(h, "WAVEfmt "...), 16)
	h = binary.LittleEndian.AppendUint16(h, 1) // PCM
	h = binary.LittleEndian.AppendUint16(h, 1) // one channel
	h = binary.LittleEndian.AppendUint32(h, uint32(rate))
	h = binary.LittleEndian.AppendUint32(h, uint32(rate*bytesPerSample))
	h = binary.LittleEndian.AppendUint16(h, bytesPerSample)
	h = binary.LittleEndian.AppendUint16(h, 8*bytesPerSample)
	return binary.LittleEndian.AppendUint32(append(h, "data"...), unknown)
}
