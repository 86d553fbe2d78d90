package mureka

import (
	"cmp"
	"slices"
	"strings"
)

// kind is what a task makes, as paths name it.
type kind string

const (
	song         kind = "song"
	instrumental kind = "instrumental"
)

// Limits in characters. Lyrics of the newest models may be longer; nobody official says so.
const (
	maxLyrics = 3000
	maxPrompt = 1024
)

// order is what either kind of task is asked for with. What instrumentals take beside model, n and prompt is not known, except
// that an uploaded one can take the prompt's place.
type order struct {
	Model          *string `json:"model"`
	N              *int    `json:"n"`
	Prompt         *string `json:"prompt"`
	Lyrics         *string `json:"lyrics"`
	ReferenceID    *string `json:"reference_id"`
	VocalID        *string `json:"vocal_id"`
	MelodyID       *string `json:"melody_id"`
	InstrumentalID *string `json:"instrumental_id"`
	Stream         *bool   `json:"stream"`
}

// check refuses what the vendor refuses, and an empty text for any member that is there.
func (o *order) check(k kind, skywork bool) *problem {
	if n := or(o.N, 2); n < 1 || n > 3 {
		return invalid("n must be between 1 and 3")
	}
	for name, value := range map[string]*string{"prompt": o.Prompt, "lyrics": o.Lyrics, "reference_id": o.ReferenceID,
		"vocal_id": o.VocalID, "melody_id": o.MelodyID, "instrumental_id": o.InstrumentalID} {
		if value != nil && strings.TrimSpace(*value) == "" {
			return invalid("%s is empty", name)
		}
	}
	rules := o.songRules
	if k == instrumental {
		rules = o.instrumentalRules
	}
	return cmp.Or(o.streams(k, skywork), rules(), o.controls(), shorter("prompt", o.Prompt, maxPrompt))
}

func (o *order) songRules() *problem {
	if o.Lyrics == nil {
		return invalid("lyrics is required")
	}
	return shorter("lyrics", o.Lyrics, maxLyrics)
}

func (o *order) instrumentalRules() *problem {
	switch {
	case o.Lyrics != nil || o.ReferenceID != nil || o.VocalID != nil || o.MelodyID != nil:
		return invalid("lyrics, reference_id, vocal_id and melody_id are unknown here")
	case o.Prompt == nil && o.InstrumentalID == nil:
		return invalid("prompt is required")
	}
	return nil
}

// streams refuses stream at Skywork, for instrumentals, and for mureka-o1.
func (o *order) streams(k kind, skywork bool) *problem {
	switch {
	case o.Stream != nil && (skywork || k == instrumental):
		return invalid("stream is unknown here")
	case or(o.Stream, false) && or(o.Model, "") == "mureka-o1":
		return invalid("stream is not supported with mureka-o1")
	}
	return nil
}

// controls refuses all pairs of prompt and ids but one. Newer notes also allow a prompt with a vocal; the older text is stricter.
func (o *order) controls() *problem {
	given := []string{}
	for _, c := range []struct {
		name  string
		value *string
	}{
		{"prompt", o.Prompt}, {"reference_id", o.ReferenceID}, {"vocal_id", o.VocalID}, {"melody_id", o.MelodyID},
		{"instrumental_id", o.InstrumentalID},
	} {
		if c.value != nil {
			given = append(given, c.name)
		}
	}
	if len(given) > 1 && !slices.Equal(given, []string{"reference_id", "vocal_id"}) {
		return invalid("%s cannot be used together", strings.Join(given, " and "))
	}
	return nil
}

// resolve returns the model that does the work, for the name that was asked for. The lists are those of the newest documents;
// the o-series makes no instrumentals.
func (x *exchange) resolve(model string, k kind) (string, *problem) {
	known, newest := []string{"mureka-7.6", "mureka-8", "mureka-9", "mureka-9.5", "mureka-o1", "mureka-o2"}, "mureka-9.5"
	if x.skywork {
		known, newest = []string{"mureka-6", "mureka-7.5", "mureka-o1"}, "mureka-7.5"
	}
	x.sim.mu.Lock()
	o1 := x.sim.o1
	x.sim.mu.Unlock()
	switch {
	case model == "auto":
		return newest, nil
	case !slices.Contains(known, model), k == instrumental && strings.HasPrefix(model, "mureka-o"),
		model == "mureka-o1" && o1 == O1Refused && !x.skywork:
		return "", invalid("the model is unknown: %s", model)
	case model == "mureka-o1" && o1 == O1Aliased && !x.skywork:
		return "mureka-o2", nil
	}
	return model, nil
}
