package dashscope

import (
	"regexp"
	"strings"
)

const (
	// defaultSeconds is the length of a video when nothing else is said.
	defaultSeconds = 5
	// defaultRatio is the shape of a video of which a size must be given.
	defaultRatio = "16:9"
	// maxNegative bounds a negative prompt in characters.
	maxNegative = 500
)

// form is the shape of a request.
type form int

const (
	// formMedia has a list of media, resolution and ratio: 2.7 and newer.
	formMedia form = iota
	// formSingle has one image and a resolution, or no image and a size: 2.6 and older.
	formSingle
)

// sound is what is to be said of sound.
type sound int

const (
	// soundSaid is a switch that is always sent.
	soundSaid sound = iota
	// soundSwitch is one that only some models of a version have: it is sent if the client says something. There is sound unless it
	// is switched off.
	soundSwitch
	// soundAlways is a model that cannot be silent, soundNever one that is.
	soundAlways
	soundNever
)

// videoModel is what a model takes.
type videoModel struct {
	// name is what messages call the model.
	name string
	form form
	// plain says that the model works without an image, frames that it takes one, last that it takes a last frame, too.
	plain, frames, last bool
	negative            bool
	sound               sound
	resolutions         []string
	// resolution is what is asked for when the client says nothing.
	resolution string
	// ratios are the shapes that the model makes, none if the vendor knows. Follows says that it is the image's.
	ratios  []string
	follows bool
	// minSeconds and maxSeconds bound the length. The vendor is the judge of models of which they are not known: minSeconds is 0 then,
	// and maxSeconds what is billed if the length is left to the model.
	minSeconds, maxSeconds int
	// other says what the model needs that a request cannot hold.
	other string
}

// family is how ids of Wan's video models begin: a version and a kind.
var family = regexp.MustCompile(`^wanx?([0-9])\.([0-9])-([a-z0-9]+)`)

// videoModelOf finds the model of an id. Of other ids and newer versions nothing is known: they get the newest form of a request, may
// be given what any model takes, and the vendor is the judge. Facts from model-studio/text-to-video-api-reference,
// legacy-wan-text-to-video-api-reference and wan3-video-generation-api-reference.
func videoModelOf(id string) videoModel {
	m := family.FindStringSubmatch(id)
	if m == nil {
		return newer()
	}
	version, kind := m[1]+"."+m[2], m[3]
	var v videoModel
	switch {
	case version == "3.0":
		v = videoModel{
			sound: soundSaid, resolutions: []string{"480p", "720p", "1080p"}, resolution: "1080p", minSeconds: 2, maxSeconds: 30,
		}
	case version == "2.7":
		v = videoModel{
			negative: true, sound: soundAlways, resolutions: []string{"720p", "1080p"}, resolution: "1080p",
			ratios: ratios(), minSeconds: 2, maxSeconds: 15,
		}
	case version < "2.7":
		v = older(id, version, kind)
	default:
		return newer()
	}
	v.name = "Wan " + version
	v.kind(kind)
	return v
}

// newer is a model of which nothing is known.
func newer() videoModel {
	return videoModel{
		name: "The model", plain: true, frames: true, last: true, negative: true, sound: soundSwitch,
		resolutions: []string{"480p", "720p", "1080p", "2k", "4k"}, resolution: "1080p", maxSeconds: 30,
	}
}

// older are the models of 2.6 and before. Their lengths differ by model. Before 2.5 there was no sound, and most models do not make
// all resolutions.
func older(id, version, kind string) videoModel {
	v := videoModel{
		form: formSingle, negative: true, sound: soundSwitch, resolutions: []string{"480p", "720p", "1080p"}, resolution: "1080p",
		ratios: ratios(), maxSeconds: 15,
	}
	if version >= "2.6" {
		v.resolutions = v.resolutions[1:]
	}
	if version < "2.5" {
		v.sound = soundNever
	}
	if version < "2.2" || version == "2.2" && strings.Contains(id, "flash") {
		v.resolution = "720p"
	}
	v.follows = kind == "i2v"
	return v
}

// kind sets what a model of a kind works on.
func (m *videoModel) kind(kind string) {
	switch kind {
	case "t2v":
		m.name += " text to video"
		m.plain = true
	case "i2v":
		m.name += " image to video"
		m.frames, m.last = true, m.form == formMedia
	case "r2v", "videoedit", "kf2v", "vace", "s2v", "animate":
		m.other = "It works on reference images, clips or voices, which a request here cannot hold: use a model from text or from a first frame."
	default:
		m.plain, m.frames, m.last = true, true, m.form == formMedia
	}
}

// sized says that the model takes a size instead of a resolution.
func (m *videoModel) sized() bool { return m.form == formSingle && !m.frames }
