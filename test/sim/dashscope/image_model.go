package dashscope

// imageModel is what a text-to-image model takes.
type imageModel struct {
	// messages marks models whose input is a dialogue of one message; the older ones take a prompt and make tasks only.
	messages bool
	// seven marks 2.7, which edits images and makes sequences; pro its larger model.
	seven, pro bool
	// maxText is in characters; cut tells that more are cut off instead of refused.
	maxText int
	cut     bool
	// minPixels and maxPixels bound width times height, sides (if set) each of them, ratio (if set) one by the other.
	minPixels, maxPixels int
	sides                [2]int
	ratio                int
	// side is that of the square which is the default.
	side int
}

// imageModels are the Wan models. Of 1024 as the default side of the older models, and of what they do with longer prompts, the
// documents at hand say nothing.
func imageModels() map[string]imageModel {
	seven := imageModel{messages: true, seven: true, maxText: 5000, cut: true, minPixels: 768 * 768, maxPixels: 2048 * 2048, ratio: 8,
		side: 2048}
	pro := seven
	pro.pro = true
	older := imageModel{maxText: 500, maxPixels: 1440 * 1440, sides: [2]int{512, 1440}, side: 1024}
	wanx := older
	wanx.maxText = 800
	return map[string]imageModel{
		"wan2.7-image": seven, "wan2.7-image-pro": pro,
		"wan2.6-t2i":         {messages: true, maxText: 2100, minPixels: 1280 * 1280, maxPixels: 1440 * 1440, ratio: 4, side: 1280},
		"wan2.5-t2i-preview": {maxText: 2000, minPixels: 768 * 768, maxPixels: 1440 * 1440, side: 1024},
		"wan2.2-t2i-plus":    older, "wan2.2-t2i-flash": older, "wan2.1-t2i-plus": older, "wan2.1-t2i-turbo": older,
		"wanx2.0-t2i-turbo": wanx,
	}
}

// imageModelOf finds a model for a call. The documents show no answer to an unknown model or one at the wrong address; the general
// code for parameters is taken.
func imageModelOf(name, path string) (imageModel, *problem) {
	m, ok := imageModels()[name]
	_, isVideo := videoModels()[name]
	switch {
	case !ok && !isVideo:
		return m, invalid("model", "Model not exist")
	case isVideo || m.messages == (path == SynthesisPath):
		return m, invalid("url", "the model %s is not served at this address", name)
	}
	return m, nil
}

// size reads parameters.size.
func (m imageModel) size(q *imageRequest, f *form) (width, height int) {
	side, isNamed := map[string]int{"1K": 1024, "2K": 2048, "4K": 4096}[f.members["size"].Str]
	large := m.pro && len(q.inputs) == 0 && !q.sequential
	switch {
	case !f.has("size"):
		return q.shaped(m.side)
	case m.seven && isNamed:
		if side == 4096 && !large {
			f.refusef("size", "4K is for text to image with wan2.7-image-pro, and not for sequences")
		}
		return q.shaped(side)
	}
	width, height = f.pixels("size")
	m.bound(f, width, height, large)
	return width, height
}

// bound checks explicit sizes. That a sequence of the larger model counts as "everything else" is the stricter reading.
func (m imageModel) bound(f *form, width, height int, large bool) {
	most := m.maxPixels
	if large {
		most = 4096 * 4096
	}
	switch {
	case width*height < m.minPixels || width*height > most:
		f.refusef("size", "want from %d to %d pixels in all", m.minPixels, most)
	case m.ratio > 0 && (width > m.ratio*height || height > m.ratio*width):
		f.refusef("size", "want a ratio from 1:%d to %d:1", m.ratio, m.ratio)
	case m.sides[0] > 0 && (min(width, height) < m.sides[0] || max(width, height) > m.sides[1]):
		f.refusef("size", "want sides of %d to %d pixels", m.sides[0], m.sides[1])
	}
}

// shaped is a size of side*side pixels in the ratio of the last input image, as far as that is known.
func (q *imageRequest) shaped(side int) (width, height int) {
	if len(q.inputs) == 0 || q.inputs[len(q.inputs)-1].X == 0 {
		return side, side
	}
	last := q.inputs[len(q.inputs)-1]
	return sameArea(side*side, last.X, last.Y)
}

// cutText is the part of a prompt that the model reads.
func (m imageModel) cutText(prompt string) string {
	if runes := []rune(prompt); m.cut && len(runes) > m.maxText {
		return string(runes[:m.maxText])
	}
	return prompt
}
