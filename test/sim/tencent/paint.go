package tencent

import (
	"bytes"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// paintPNG is an image, with a white block in its lower right corner if it carries the mark.
func paintPNG(width, height int, mark bool) []byte {
	plain := studio.PNG(width, height)
	if !mark {
		return plain
	}
	var b bytes.Buffer
	if err := png.Encode(&b, marked(plain)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// paintJPEG is the same as a JPEG.
func paintJPEG(width, height int, mark bool) []byte {
	if !mark {
		return studio.JPEG(width, height)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, marked(studio.PNG(width, height)), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// marked is a PNG with the mark, an eighth of each side.
func marked(plain []byte) image.Image {
	m, err := png.Decode(bytes.NewReader(plain))
	if err != nil {
		panic(err)
	}
	canvas := m.(draw.Image) // what png.Decode makes of a palette can be drawn on
	b := canvas.Bounds()
	draw.Draw(canvas, image.Rect(b.Max.X-b.Dx()/8, b.Max.Y-b.Dy()/8, b.Max.X, b.Max.Y), image.White, image.Point{}, draw.Src)
	return canvas
}
