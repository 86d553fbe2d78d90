package kling

import (
	"fmt"
	"sync"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// job is what a task was asked for. After accept only the files change, under once.
type job struct {
	door             door
	external         string
	watermark, sound bool
	resolution       string
	seconds          int

	once        sync.Once
	url, marked string
}

// accept makes a task, unless the caller's id was used before or too many tasks of the model run.
func (x *exchange) accept(j *job, mode studio.Mode) (*studio.Task, *problem) {
	t := &studio.Task{ID: x.number(), Kind: studio.Video, Model: j.door.model, Units: int64(j.seconds), Mode: mode, Data: j}
	s := x.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, used := s.external[j.external]; used {
		return nil, invalid("external_task_id %q exists already", j.external)
	}
	if s.limit > 0 && s.running(j.door.model) >= s.limit {
		return nil, overLimit()
	}
	if j.external != "" {
		s.external[j.external] = t.ID
	}
	s.submitted = append(s.submitted, t.ID)
	s.Add(t)
	return t, nil
}

// running counts the unfinished tasks of a model. The caller holds mu.
func (s *Simulator) running(model string) int {
	n := 0
	for _, id := range s.submitted {
		if t, state := s.Task(id); t != nil && t.Model == model && state < studio.Succeeded {
			n++
		}
	}
	return n
}

func jobOf(t *studio.Task) *job { return t.Data.(*job) }

// files returns the addresses of the video and of the marked one, if that was asked for.
func (x *exchange) files(t *studio.Task) (video, marked string) {
	j := jobOf(t)
	j.once.Do(func() {
		data := studio.MP4(time.Duration(j.seconds) * time.Second)
		j.url = x.Publish("mp4", "video/mp4", data)
		if j.watermark {
			j.marked = x.Publish("mp4", "video/mp4", data)
		}
	})
	return j.url, j.marked
}

// milliDollars is the price of a job in thousandths of a dollar, from the vendor's price page. One unit is 0.14 dollars.
func (j *job) milliDollars() int {
	second := map[string][2]int{"720p": {84, 126}, "1080p": {112, 168}, "4k": {420, 420}}
	switch {
	case j.door.turbo():
		second = map[string][2]int{"720p": {112, 112}, "1080p": {140, 140}}
	case j.door.omni():
		second = map[string][2]int{"720p": {84, 112}, "1080p": {112, 140}, "4k": {420, 420}}
	}
	silent := second[j.resolution]
	if j.sound {
		return silent[1] * j.seconds
	}
	return silent[0] * j.seconds
}

// dollars writes thousandths as a decimal.
func dollars(thousandths int) string {
	return fmt.Sprintf("%d.%03d", thousandths/1000, thousandths%1000)
}
