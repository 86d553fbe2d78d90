package mureka

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// mp3Frame is how long a piece of an mp3 lasts; songs are made of whole ones.
const mp3Frame = 36 * time.Millisecond

// choices are the songs of a task. Before the end a streamed one can already be listened to, and nothing else.
func (x *exchange) choices(t *studio.Task, done bool) []any {
	j, list := jobOf(t), []any{}
	if t.Mode == studio.NoAudio {
		return list
	}
	x.publish(j)
	for i := range j.songs {
		c := map[string]any{"index": i}
		if j.stream {
			c["stream_url"] = j.mp3[i]
		}
		if done {
			c["id"], c["url"], c["flac_url"] = fmt.Sprintf("%s%d", t.ID, i), j.mp3[i], j.flac[i]
			c["duration"] = j.length().Milliseconds()
		}
		if done && j.kind == song {
			c["lyrics_sections"] = sections(j.lyrics, j.length())
		}
		list = append(list, c)
	}
	return list
}

// publish makes the files of a task, once.
func (x *exchange) publish(j *job) {
	j.once.Do(func() {
		mp3, lossless := studio.MP3(j.length()-1), flac(j.length())
		for range j.songs {
			j.mp3 = append(j.mp3, x.Publish("mp3", "audio/mpeg", mp3))
			j.flac = append(j.flac, x.Publish("flac", "audio/flac", lossless))
		}
	})
}

// length is how long each song is: two seconds a line, and between 6 and 60 seconds.
func (j *job) length() time.Duration {
	_, sung := lines(j.lyrics)
	length := min(max(time.Duration(sung)*2*time.Second, 6*time.Second), time.Minute)
	return (length + mp3Frame - 1).Truncate(mp3Frame)
}

// lines are those of the lyrics that are not blank; it also counts those that are sung.
func lines(lyrics string) (all []string, sung int) {
	for line := range strings.Lines(lyrics) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		all = append(all, line)
		if _, isTag := tag(line); !isTag {
			sung++
		}
	}
	return all, sung
}

// tag reads a line that names a section. Names beside the documented ones begin a verse.
func tag(line string) (section string, ok bool) {
	name, ok := strings.CutPrefix(line, "[")
	name, closed := strings.CutSuffix(name, "]")
	section = strings.ToLower(name)
	if !slices.Contains([]string{"intro", "verse", "pre-chorus", "chorus", "bridge", "breakdown", "outro"}, section) {
		section = "verse"
	}
	return section, ok && closed
}

// sections says when every line and word is sung, in milliseconds.
func sections(lyrics string, length time.Duration) []any {
	all, sung := lines(lyrics)
	each, at := length.Milliseconds()/int64(max(sung, 1)), int64(0)
	list := []any{}
	section := map[string]any{"section_type": "verse", "start": at, "end": at, "lines": []any{}}
	for _, line := range all {
		if name, isTag := tag(line); isTag {
			section = map[string]any{"section_type": name, "start": at, "end": at, "lines": []any{}}
			list = append(list, section)
			continue
		}
		if len(list) == 0 {
			list = append(list, section)
		}
		section["lines"] = append(section["lines"].([]any), sungLine(line, at, each))
		at += each
		section["end"] = at
	}
	return list
}

// sungLine is a line with its words, which share its time.
func sungLine(line string, at, length int64) map[string]any {
	fields, words := strings.Fields(line), []any{}
	for i, word := range fields {
		start, end := at+length*int64(i)/int64(len(fields)), at+length*int64(i+1)/int64(len(fields))
		words = append(words, map[string]any{"start": start, "end": end, "text": word})
	}
	return map[string]any{"start": at, "end": at + length, "text": line, "words": words}
}
