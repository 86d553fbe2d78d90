package providertest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// The credential of the fictional vendor.
const (
	atelierApp    = "app-2026"
	atelierKey    = "key-id-of-the-atelier"
	atelierSecret = "secret-key-of-the-atelier"
)

// order is the body of every call to the fictional vendor.
type order struct {
	App     string  `json:"app"`
	Model   string  `json:"model"`
	Prompt  string  `json:"prompt"`
	Count   *int64  `json:"count"`
	Size    string  `json:"size"`
	Inline  bool    `json:"inline"`
	Later   bool    `json:"later"`
	Seconds *int64  `json:"seconds"`
	Token   string  `json:"token"`
	Voice   string  `json:"voice"`
	Format  string  `json:"format"`
	Speed   float64 `json:"speed"`
	Raw     bool    `json:"raw"`
}

// atelier is the simulator of the fictional vendor.
func atelier(s *studio.Studio) http.Handler {
	return s.Handler(func(v *studio.Visit) {
		mac := hmac.New(sha256.New, []byte(atelierSecret))
		mac.Write([]byte(v.R.URL.Path))
		mac.Write(v.Body)
		if v.R.Header.Get("X-Atelier-Key") != atelierKey || v.R.Header.Get("X-Atelier-Sign") != hex.EncodeToString(mac.Sum(nil)) {
			refuse(v, studio.Unauthorized)
			return
		}
		var o order
		if len(v.Body) > 0 && json.Unmarshal(v.Body, &o) != nil {
			refuse(v, studio.ServerError)
			return
		}
		mode := v.Mode(o.Prompt)
		if v.Play(mode) || refuse(v, mode) {
			return
		}
		v.Entry.Model = o.Model
		switch {
		case v.R.URL.Path == "/images" && !o.Later:
			drawn(v, o, mode)
		case v.R.URL.Path == "/voice":
			said(v, o, mode)
		case v.R.Method == http.MethodPost && !strings.HasPrefix(v.R.URL.Path, "/tasks/"):
			accepted(v, o, mode)
		default:
			looked(v)
		}
	})
}

// refuse answers with a failure in the vendor's words, if it has any for the mode.
func refuse(v *studio.Visit, mode studio.Mode) bool {
	words := map[studio.Mode]struct {
		status int
		code   string
	}{
		studio.Unauthorized: {401, "who"}, studio.NoBalance: {200, "poor"}, studio.RateLimit: {429, "often"},
		studio.Concurrency: {429, "many"}, studio.Overload: {503, "busy"}, studio.ServerError: {500, "oops"},
		studio.Moderation: {400, "rude"}, studio.NotOpen: {404, "model"},
	}
	w, ok := words[mode]
	if ok {
		v.JSON(w.status, map[string]any{"error": map[string]any{"code": w.code, "message": "The atelier says " + w.code + "."}})
	}
	return ok
}

// units are a number that was asked for, or the vendor's own; four images are made of those who do not say.
func units(asked *int64, own int64) int64 {
	if asked == nil {
		return own
	}
	return *asked
}

// drawn answers with images.
func drawn(v *studio.Visit, o order, mode studio.Mode) {
	if mode == studio.ModerationOutput || mode == studio.PartialOutput && units(o.Count, 4) == 1 {
		refuse(v, studio.Moderation)
		return
	}
	n := units(o.Count, 4)
	var list []any
	made := int64(0)
	for i := range n {
		if mode == studio.PartialOutput && i == 1 {
			list = append(list, map[string]any{"error": map[string]any{"code": "rude", "message": "no"}})
			continue
		}
		made++
		list = append(list, picture(v, o.Inline))
	}
	v.Bill(studio.Charge{ID: strconv.FormatInt(v.Next(), 10), Kind: studio.Image, Model: o.Model, Units: made})
	v.JSON(http.StatusOK, map[string]any{"images": list, "counted": made})
}

// picture is one image.
func picture(v *studio.Visit, inline bool) map[string]any {
	data := studio.PNG(32, 32)
	if inline {
		return map[string]any{"data": base64.StdEncoding.EncodeToString(data), "size": "32x32"}
	}
	return map[string]any{"url": v.Publish("png", "image/png", data), "size": "32x32"}
}

// accepted makes a task.
func accepted(v *studio.Visit, o order, mode studio.Mode) {
	task := &studio.Task{ID: fmt.Sprintf("task-%06d", v.Next()), Kind: studio.Video, Model: o.Model, Mode: mode, Data: o}
	task.Units = units(o.Seconds, 5)
	switch v.R.URL.Path {
	case "/songs":
		task.Kind, task.Units = studio.Music, units(o.Count, 2)
	case "/images":
		task.Kind, task.Units = studio.Image, units(o.Count, 4)
	}
	v.Add(task)
	v.JSON(http.StatusOK, map[string]any{"task": task.ID})
}

// looked answers where a task is; before that it stops the task or tears it up, if asked to.
func looked(v *studio.Visit) {
	id, action, _ := strings.Cut(strings.TrimPrefix(v.R.URL.Path, "/tasks/"), "/")
	switch action {
	case "stop":
		v.Cancel(id)
	case "delete":
		if !v.Cancel(id) {
			v.Forget(id)
			v.JSON(http.StatusOK, map[string]any{"state": "stopped"})
			return
		}
	}
	task, state := v.Task(id)
	if task == nil {
		v.JSON(http.StatusNotFound, map[string]any{"error": map[string]any{"code": "task", "message": "no such task"}})
		return
	}
	words := map[studio.State]string{
		studio.Queued: "waiting", studio.Running: "working", studio.Succeeded: "done", studio.Failed: "broken", studio.Cancelled: "stopped",
	}
	answer := map[string]any{"state": words[state], "percent": 10 * int(state)}
	if state == studio.Succeeded {
		answer["counted"], answer["files"] = task.Units, results(v, task)
		answer["ended"] = v.Finished(task).Unix()
	}
	if state == studio.Failed {
		code := "oops"
		if task.Mode == studio.ModerationOutput {
			code = "rude"
		}
		answer["reason"] = map[string]any{"code": code, "message": "it broke"}
	}
	v.JSON(http.StatusOK, answer)
}

// results are the files of a task.
func results(v *studio.Visit, task *studio.Task) []any {
	o, _ := task.Data.(order)
	var list []any
	for range map[bool]int64{true: 1, false: task.Units}[task.Kind == studio.Video] {
		switch task.Kind {
		case studio.Image:
			list = append(list, picture(v, o.Inline))
		case studio.Video:
			list = append(list, map[string]any{"url": v.Publish("mp4", "video/mp4", []byte("ftyp")), "type": "video/mp4"})
		default:
			list = append(list, map[string]any{"url": v.Publish("mp3", "audio/mpeg", studio.MP3(time.Second)), "type": "audio/mpeg"})
		}
	}
	return list
}

// speechSound is the audio that the vendor makes.
func speechSound(format string) []byte {
	if format == "mp3" {
		return studio.MP3(300 * time.Millisecond)
	}
	return studio.PCM(8000, 300*time.Millisecond)
}

// said speaks: lines of JSON, the last of which has everything again.
func said(v *studio.Visit, o order, mode studio.Mode) {
	if o.Voice != "anna" {
		v.JSON(http.StatusOK, map[string]any{"error": map[string]any{"code": "voice", "message": "no such voice"}})
		return
	}
	spoken := utf8.RuneCountInString(o.Prompt)
	v.Bill(studio.Charge{ID: strconv.FormatInt(v.Next(), 10), Kind: studio.Speech, Model: o.Model, Units: int64(spoken)})
	audio := speechSound(o.Format)
	if o.Raw {
		if mode == studio.NoAudio {
			audio = nil
		}
		v.Text(http.StatusOK, "audio/mpeg", string(audio))
		return
	}
	line := func(document map[string]any) {
		data, err := json.Marshal(document)
		if err != nil {
			panic(err)
		}
		v.Chunk("application/x-ndjson", string(data)+"\n")
	}
	third := len(audio) / 3
	for i, part := range [][]byte{audio[:third], audio[third : 2*third], audio[2*third:]} {
		switch {
		case mode == studio.NoAudio:
		case mode == studio.MidStream && i == 2:
			line(map[string]any{"error": map[string]any{"code": "oops", "message": "lost my voice"}})
			return
		case mode == studio.Truncated && i == 2:
			return
		default:
			line(map[string]any{"audio": base64.StdEncoding.EncodeToString(part)})
		}
	}
	if mode == studio.NoAudio {
		audio = nil
	}
	line(map[string]any{"end": true, "audio": base64.StdEncoding.EncodeToString(audio), "counted": spoken})
}
