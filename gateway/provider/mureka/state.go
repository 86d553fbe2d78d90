package mureka

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// maxFileSeconds bounds what is believed of a song's length.
const maxFileSeconds = 3600

// stateStep is a call that asks where a task is.
type stateStep = provider.Step[provider.TaskState]

// Poll implements provider.Tasks.
func (music) Poll(ctx context.Context, up *provider.Upstream, t provider.Task, _ time.Time) (*stateStep, error) {
	kind := kindSong
	if t.State == kindInstrumental {
		kind = kindInstrumental
	}
	req, err := newCall(ctx, http.MethodGet, doorOf(up).query(kind, t.ID), up, nil)
	if err != nil {
		return nil, err
	}
	return &stateStep{Request: req, Read: readState}, nil
}

// unknownTask says that the vendor does not know the task, or no longer. How it says so is not documented: a poll asks for nothing
// but a task, so that a request that is wrong or finds nothing means that there is none. A code of Skywork's that nobody knows has
// to say it in words.
func unknownTask(r *provider.Response) bool {
	p := reportOf(r)
	switch {
	case !p.own, p.code == "0", p.code == "" && p.text == "":
		return false
	case p.status == http.StatusBadRequest, p.status == http.StatusNotFound:
		return true
	}
	return success(p.status) && p.code != "" && taskless.MatchString(p.text)
}

// readState reads a poll.
func readState(r *provider.Response) (provider.TaskState, *stateStep, error) {
	content, err := readContent(r)
	switch {
	case err != nil && unknownTask(r):
		return provider.TaskState{Gone: true, Progress: -1}, nil, nil
	case err != nil:
		return provider.TaskState{}, nil, err
	}
	word := strings.ToLower(content.Get("status").Str)
	if word == "" {
		return provider.TaskState{}, nil, provider.BadResponse(r.Status, "no_status", "The answer has no status of a task.")
	}
	s := provider.TaskState{Status: taskStatus(word), Progress: progress(content.Get("progress"))}
	switch s.Status {
	case provider.TaskCompleted:
		readSongs(r.Status, content.Get("choices"), &s)
	case provider.TaskFailed:
		s.Failure = taskFailure(r.Status, word, content.Get("failed_reason").Str)
	default: // there is no more to tell
	}
	if s.Status.Ended() {
		s.FinishedAt = unixTime(content.Get("finished_at").Int())
	}
	return s, nil, nil
}

// taskStatus translates a status.
func taskStatus(word string) provider.TaskStatus {
	switch word {
	case "preparing", "queued":
		return provider.TaskQueued
	case "succeeded":
		return provider.TaskCompleted
	case "failed", "timeouted":
		return provider.TaskFailed
	case "cancelled", "canceled":
		return provider.TaskCancelled
	}
	return provider.TaskInProgress
}

// progress is in percent, which Skywork tells; -1 if it is not told.
func progress(v gjson.Result) int {
	if v.Type == gjson.Number && v.Num >= 0 && v.Num <= 100 {
		return int(v.Num)
	}
	return -1
}

// readSongs reads the results of a task that has succeeded. There may be fewer than were asked for: those that are there are the
// result, and what is counted.
func readSongs(status int, choices gjson.Result, s *provider.TaskState) {
	songs := int64(0)
	if choices.IsArray() {
		for _, choice := range choices.Array() {
			if forms := files(choice); len(forms) > 0 {
				s.Files = append(s.Files, forms...)
				songs++
			}
		}
	}
	if songs == 0 {
		s.Status = provider.TaskFailed
		s.Failure = provider.BadResponse(status, "no_songs", "The task has succeeded without a song.")
		return
	}
	s.Usage = provider.Usage{Known: true, Songs: songs}
}

// files are the forms of one song: the result itself, which is the mp3 if there is one, and the others after it.
func files(choice gjson.Result) []provider.TaskFile {
	var forms []provider.TaskFile
	for _, form := range [...]struct{ member, contentType, variant string }{
		{"url", "audio/mpeg", "mp3"}, {"flac_url", "audio/flac", "flac"}, {"wav_url", "audio/wav", "wav"},
	} {
		f := provider.TaskFile{
			URL: address(choice.Get(form.member)), ContentType: form.contentType, Variant: form.variant,
			Seconds: seconds(choice.Get("duration")),
		}
		switch {
		case f.URL == "":
			continue
		case len(forms) == 0:
			f.Variant = ""
		}
		forms = append(forms, f)
	}
	return forms
}

// seconds is the length of a song, which is told in milliseconds; 0 if it makes no sense.
func seconds(v gjson.Result) float64 {
	if s := v.Num / 1000; s > 0 && s <= maxFileSeconds {
		return s
	}
	return 0
}

// address returns a result's URL, "" if there is none that can be fetched.
func address(v gjson.Result) string {
	if strings.HasPrefix(v.Str, "https://") || strings.HasPrefix(v.Str, "http://") {
		return v.Str
	}
	return ""
}

// taskFailure is why a task has failed: a text, if anything.
func taskFailure(status int, word, reason string) *provider.Error {
	e := &provider.Error{Class: provider.ClassServerError, Status: status, Code: word, Message: message(reason)}
	switch {
	case word == "timeouted":
		e.Class = provider.ClassTimeout
	case moderated.MatchString(e.Message):
		e.Class = provider.ClassModeration
	}
	return e
}

// unixTime is a time in seconds, zero if it makes no sense.
func unixTime(seconds int64) time.Time {
	const year10000 = 253_402_300_800
	if seconds <= 0 || seconds >= year10000 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
