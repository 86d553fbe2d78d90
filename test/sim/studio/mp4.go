package studio

import (
	"encoding/binary"
	"time"
)

// The picture of a video: 256 by 144 pixels, 16 by 9 macroblocks.
const (
	videoColumns, videoRows = 16, 9
	videoWidth              = 16 * videoColumns
	videoHeight             = 16 * videoRows
)

// videoTimescale is in ticks per second.
const videoTimescale = 1000

// MP4 is a video of grey pictures, 256x144, one per second, without sound: H.264 Constrained Baseline in the ISO base media
// format, with the index in front. Lengths below one millisecond become one.
func MP4(length time.Duration) []byte {
	ticks := uint32(max(length.Milliseconds(), 1))
	frames := [][]byte{greyFrame(0), greyFrame(1)}
	count := (ticks + videoTimescale - 1) / videoTimescale
	sizes, data := make([]uint32, count), []byte(nil)
	for i := range sizes {
		frame := frames[i%2]
		sizes[i] = uint32(len(frame))
		data = append(data, frame...)
	}
	head := atom("ftyp", "isom", u32(0x200), "isomiso2avc1mp41")
	offset := len(head) + len(movie(ticks, sizes, 0)) + 8
	head = append(head, movie(ticks, sizes, uint32(offset))...)
	return append(head, atom("mdat", data)...)
}

// movie is the index; offset is where the first frame begins.
func movie(ticks uint32, sizes []uint32, offset uint32) []byte {
	matrix := u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
	return atom("moov",
		atom("mvhd", u32(0, 0, 0, videoTimescale, ticks, 0x10000), u16(0x100, 0), u32(0, 0), matrix, u32(0, 0, 0, 0, 0, 0, 2)),
		atom("trak",
			atom("tkhd", u32(3, 0, 0, 1, 0, ticks, 0, 0), u16(0, 0, 0, 0), matrix, u32(videoWidth<<16, videoHeight<<16)),
			atom("mdia",
				atom("mdhd", u32(0, 0, 0, videoTimescale, ticks), u16(0x55c4, 0)), // language und
				atom("hdlr", u32(0, 0), "vide", u32(0, 0, 0), "video\x00"),
				atom("minf",
					atom("vmhd", u32(1), u16(0, 0, 0, 0)),
					atom("dinf", atom("dref", u32(0, 1), atom("url ", u32(1)))),
					samples(ticks, sizes, offset)))))
}

// samples is the table of frames: each lasts a second, the last one what is left; all are key frames, in one chunk.
func samples(ticks uint32, sizes []uint32, offset uint32) []byte {
	count := uint32(len(sizes))
	times := u32(0, 1, 1, ticks)
	if count > 1 {
		times = u32(0, 2, count-1, videoTimescale, 1, ticks-(count-1)*videoTimescale)
	}
	return atom("stbl",
		atom("stsd", u32(0, 1), atom("avc1", u16(0, 0, 0, 1), u32(0, 0, 0, 0), u16(videoWidth, videoHeight),
			u32(0x480000, 0x480000, 0), u16(1), make([]byte, 32), u16(24, 0xffff), decoderConfiguration())),
		atom("stts", times),
		atom("stsc", u32(0, 1, 1, count, 1)),
		atom("stsz", u32(0, 0, count), u32(sizes...)),
		atom("stco", u32(0, 1, offset)))
}

// atom is a box of the container; its parts are bytes or text.
func atom(kind string, parts ...any) []byte {
	b := append(make([]byte, 4, 64), kind...)
	for _, part := range parts {
		switch part := part.(type) {
		case []byte:
			b = append(b, part...)
		case string:
			b = append(b, part...)
		}
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

func u16(values ...uint16) []byte {
	var b []byte
	for _, v := range values {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}

func u32(values ...uint32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// The headers of the stream, after ITU-T H.264 sections 7.3.1 and 7.3.2. Profile 66 with constraints 0 and 1, level 1.1.
const videoProfile, videoConstraints, videoLevel = 66, 0xc0, 11

func decoderConfiguration() []byte {
	sequence, picture := sequenceParameters(), pictureParameters()
	return atom("avcC", []byte{1, videoProfile, videoConstraints, videoLevel, 0xff, 0xe1},
		u16(uint16(len(sequence))), sequence, []byte{1}, u16(uint16(len(picture))), picture)
}

func sequenceParameters() []byte {
	var b bitstream
	b.fixed(0x67, 8)
	b.fixed(videoProfile<<16|videoConstraints<<8|videoLevel, 24)
	b.golomb(0, 0, 2, 0) // id, frame number of 4 bits, order of decoding is order of showing, no reference frames
	b.fixed(0, 1)        // frame numbers have no gaps
	b.golomb(videoColumns-1, videoRows-1)
	b.fixed(0b1100, 4) // whole frames, 8x8 inference, no cropping, no usability information
	return b.end()
}

func pictureParameters() []byte {
	var b bitstream
	b.fixed(0x68, 8)
	b.golomb(0, 0)    // ids
	b.fixed(0, 2)     // CAVLC, no order of fields
	b.golomb(0, 0, 0) // one slice group, one reference each
	b.fixed(0, 3)     // no weighted prediction
	b.golomb(0, 0, 0) // quantisers
	b.fixed(0, 3)     // no deblocking control, no constrained prediction, no redundancy
	return b.end()
}

// greyFrame is one IDR picture whose macroblocks are all predicted from nothing, with its length in front. Neighbouring
// pictures need different ids.
func greyFrame(id uint32) []byte {
	var b bitstream
	b.fixed(0x65, 8)
	b.golomb(0, 7, 0) // first macroblock, only intra slices, parameters
	b.fixed(0, 4)     // frame number
	b.golomb(id)
	b.fixed(0, 2) // output, short-term
	b.golomb(0)   // quantiser
	for range videoColumns * videoRows {
		b.golomb(3, 0, 0) // 16x16, flat, no residue; chroma flat; same quantiser
		b.fixed(1, 1)     // no coefficients
	}
	unit := b.end()
	return append(u32(uint32(len(unit))), unit...)
}

// bitstream writes the syntax elements of H.264. What is written here holds no three bytes that would need emulation
// prevention.
type bitstream struct {
	data []byte
	free int
}

// fixed appends the n low bits of v.
func (b *bitstream) fixed(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		if b.free == 0 {
			b.data, b.free = append(b.data, 0), 8
		}
		b.free--
		b.data[len(b.data)-1] |= byte(v>>i&1) << b.free
	}
}

// golomb appends unsigned (and, for 0, also signed) Exp-Golomb codes.
func (b *bitstream) golomb(values ...uint32) {
	for _, v := range values {
		n := 0
		for v+1 >= 2<<n {
			n++
		}
		b.fixed(v+1, 2*n+1)
	}
}

// end closes the unit with its stop bit.
func (b *bitstream) end() []byte {
	b.fixed(1, 1)
	return b.data
}
