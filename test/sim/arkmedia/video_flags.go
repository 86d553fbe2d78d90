package arkmedia

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// flags takes the old style of parameters out of a prompt: --dur 5, --resolution 720p and so on. It is weakly validated: a flag
// that is unknown or has a value that the model does not take is ignored, and stays in the prompt if unknown. A JSON member
// of the same meaning wins (not documented; what is validated strictly is taken to count).
func (q *videoRequest) flags(f *form) {
	pattern := regexp.MustCompile(`\s*--([a-z]+)\s+(\S+)`)
	q.Prompt = pattern.ReplaceAllStringFunc(q.Prompt, func(found string) string {
		parts := pattern.FindStringSubmatch(found)
		name := longName(parts[1])
		if name == "" {
			return found
		}
		if !f.has(name) {
			q.flag(name, parts[2])
		}
		return ""
	})
	q.Prompt = strings.TrimSpace(q.Prompt)
}

// longName is the JSON member that a flag stands for; "" for none.
func longName(flag string) string {
	names := map[string]string{
		"rs": "resolution", "resolution": "resolution", "rt": "ratio", "ratio": "ratio", "dur": "duration", "duration": "duration",
		"seed": "seed", "cf": "camera_fixed", "camerafixed": "camera_fixed", "wm": "watermark", "watermark": "watermark",
	}
	return names[flag]
}

// flag sets one parameter. Seeds and fixed cameras change nothing that can be seen here.
func (q *videoRequest) flag(name, value string) {
	seconds, err := strconv.Atoi(value)
	switch {
	case name == "resolution" && slices.Contains(q.spec.resolutions, value):
		q.Resolution = value
	case name == "ratio" && slices.Contains(append(ratios(), "adaptive"), value):
		q.Ratio = value
	case name == "duration" && err == nil && seconds >= 4 && seconds <= q.spec.longest:
		q.Seconds = seconds
	case name == "watermark":
		q.Watermark = value == "true"
	}
}
