package tokenhubmedia

import (
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

const (
	// videoLength is that of every video. It is not documented; about five seconds are what users report.
	videoLength = 5 * time.Second
	// videoCredits is what one costs, in credits of one CNY.
	videoCredits = 1.5
)

// submitVideo is /v1/api/video/submit.
func (s *Simulator) submitVideo(c *call) {
	job := newJob(c.in)
	job.Revise = false // the call knows no revision
	s.submit(c, job, &studio.Task{Kind: studio.Video, Units: int64(videoLength / time.Second)})
}

// queryVideo is /v1/api/video/query. Its data is an object, where that of images is a list.
func (s *Simulator) queryVideo(c *call) {
	s.query(c, studio.Video, func(t *studio.Task, state studio.State, answer map[string]any) {
		switch state {
		case studio.Queued:
			answer["progress"] = 0
		case studio.Running:
			answer["progress"] = 50
		case studio.Succeeded:
			answer["progress"], answer["usage"] = 100, s.usage(t, videoCredits)
			data := map[string]any{}
			if t.Mode != studio.NoAudio && t.Mode != studio.PartialOutput {
				data["url"] = s.result(c, t, "mp4", "video/mp4", func(*Job) []byte { return studio.MP4(videoLength) })
			}
			answer["data"] = data
		}
	})
}
