package providertest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// sounds says what is wrong with audio of a format, as far as a look at it tells; nil if nothing is.
func sounds(format string, audio []byte) error {
	switch format {
	case provider.FormatMP3:
		if !bytes.HasPrefix(audio, []byte{0xff}) && !bytes.HasPrefix(audio, []byte("ID3")) {
			return fmt.Errorf("it begins with %.8q, which is no MP3", audio)
		}
	case provider.FormatWAV:
		return soundsWAV(audio)
	case provider.FormatPCM:
		if len(audio)%2 != 0 || bytes.HasPrefix(audio, []byte("RIFF")) {
			return fmt.Errorf("%d bytes that begin with %.4q are no PCM", len(audio), audio)
		}
	}
	return nil
}

// soundsWAV looks at the header, which must be the only one. Of a length that is not known beforehand it says the most there is.
func soundsWAV(audio []byte) error {
	const header, unknown = 44, 0x7fffffff - 44
	if len(audio) < header || !bytes.HasPrefix(audio, []byte("RIFF")) || string(audio[8:12]) != "WAVE" {
		return fmt.Errorf("it begins with %.12q, which is no WAV", audio)
	}
	if bytes.Contains(audio[4:], []byte("RIFF")) {
		return errors.New("there is a second header in it")
	}
	if size := binary.LittleEndian.Uint32(audio[4:]); int(size) != len(audio)-8 && size < unknown {
		return fmt.Errorf("its header tells %d bytes, and there are %d", size, len(audio)-8)
	}
	return nil
}

// imageAnswer says what is wrong with an answer, nil if nothing is.
func imageAnswer(a provider.ImageAnswer) error {
	if a.Task.ID != "" {
		if len(a.Images) > 0 {
			return fmt.Errorf("there are %d images beside a task that will make them", len(a.Images))
		}
		return nil
	}
	if len(a.Images) == 0 {
		return errors.New("there is neither an image nor a task nor an error")
	}
	for i, result := range a.Images {
		ways := 0
		for _, way := range []bool{result.URL != "", result.Base64 != "", result.Failure != nil} {
			if way {
				ways++
			}
		}
		if ways != 1 {
			return fmt.Errorf("image %d has %d of URL, Base64 and Failure, want one", i, ways)
		}
		if result.Lifetime < 0 {
			return fmt.Errorf("image %d lives %s", i, result.Lifetime)
		}
	}
	return nil
}

// soundState says what is wrong with the state of a task, nil if nothing is.
func soundState(s provider.TaskState) error {
	words := []provider.TaskStatus{
		provider.TaskQueued, provider.TaskInProgress, provider.TaskCompleted, provider.TaskFailed, provider.TaskCancelled,
	}
	completed := s.Status == provider.TaskCompleted
	if s.Gone {
		if completed || len(s.Files) > 0 {
			return fmt.Errorf("the task is gone, and has %d files and the status %q", len(s.Files), s.Status)
		}
		return nil
	}
	switch {
	case !slices.Contains(words, s.Status):
		return fmt.Errorf("the status is %q", s.Status)
	case completed != (len(s.Files) > 0):
		return fmt.Errorf("the task is %s with %d files", s.Status, len(s.Files))
	case (s.Status == provider.TaskFailed) != (s.Failure != nil) && s.Status != provider.TaskCancelled:
		return fmt.Errorf("the task is %s, and has a Failure: %v", s.Status, s.Failure != nil)
	case s.Progress < -1 || s.Progress > 100:
		return fmt.Errorf("the progress is %d percent", s.Progress)
	}
	return soundFiles(s.Files)
}

// soundFiles says what is wrong with files.
func soundFiles(files []provider.TaskFile) error {
	for i, f := range files {
		if f.URL == "" || f.ContentType == "" || f.Lifetime < 0 || f.Seconds < 0 {
			return fmt.Errorf("file %d lacks its address or its type, or has a negative time: %+v", i, f)
		}
	}
	if len(files) > 0 && files[0].Variant != "" {
		return fmt.Errorf("the first file is not the result itself but %q", files[0].Variant)
	}
	return nil
}

// isGone says that the vendor does not know the task.
func isGone(s provider.TaskState) bool { return s.Gone }
