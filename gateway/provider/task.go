package provider

import (
	"context"
	"time"
)

// Task is work under way at a vendor. It is sealed into the job's id, so it is short and holds no secret.
type Task struct {
	// ID is the vendor's id.
	ID string
	// State is what the adapter needs besides for polls, in its own format, such as the kind of a task or an id of a file.
	State string
}

// TaskStatus is where a task is, in the words of OpenAI.
type TaskStatus string

// The states of a task.
const (
	TaskQueued     TaskStatus = "queued"
	TaskInProgress TaskStatus = "in_progress"
	TaskCompleted  TaskStatus = "completed"
	TaskFailed     TaskStatus = "failed"
	TaskCancelled  TaskStatus = "cancelled"
)

// Ended says that the state will not change any more.
func (s TaskStatus) Ended() bool { return s == TaskCompleted || s == TaskFailed || s == TaskCancelled }

// TaskState is what a poll told. A word that the adapter does not know is TaskInProgress: the job's own deadline ends it.
type TaskState struct {
	Status TaskStatus
	// Progress in percent, -1 if the vendor tells none.
	Progress int
	// Files are the results of a completed task.
	Files []TaskFile
	// FinishedAt is when the task ended by the vendor's account, zero if it does not say.
	FinishedAt time.Time
	// Failure says why a task failed. Its class is about the task, not about the poll.
	Failure *Error
	// Usage is what the vendor counted for a completed task: Seconds, Songs.
	Usage Usage
	// Gone says that the vendor does not know the task, or no longer.
	Gone bool
}

// TaskFile is a result of a task.
type TaskFile struct {
	// URL can be fetched without a credential.
	URL string
	// ContentType, such as video/mp4.
	ContentType string
	// Lifetime is how long the URL can be used after the task has finished, 0 if the vendor does not say.
	Lifetime time.Duration
	// Seconds is the length of the file, 0 if the vendor does not tell it.
	Seconds float64
	// Variant is empty for the result itself, and names other forms of it, such as flac or watermarked.
	Variant string
}

// Tasks is implemented by adapters of vendors that work on tasks. It is safe for concurrent use and performs no I/O.
type Tasks interface {
	// Poll returns the call that asks where a task is. A poll never costs anything.
	Poll(ctx context.Context, up *Upstream, t Task, now time.Time) (*Step[TaskState], error)
	// Cancel returns the calls that end a task that has not begun; nil if the vendor has none. A task that can no longer be
	// cancelled is no error: the state says where it is. It must not destroy a result.
	Cancel(ctx context.Context, up *Upstream, t Task, now time.Time) (*Step[TaskState], error)
}

// Submission is the call that makes a task, and what is known of the task already.
type Submission struct {
	// Step makes the task. It is Paid.
	Step *Step[Task]
	// Billing is what will be billed if the task succeeds, with defaults filled in.
	Billing Billing
	// Warnings say which parameters the vendor cannot take and what was done about it, for the client.
	Warnings []string
	// Deadline is how long the vendor may take at most, after which the job has failed. 0: 24 hours.
	Deadline time.Duration
	// RetryAfter is how often a poll makes sense. 0: 5 seconds.
	RetryAfter time.Duration
}

// Billing is what prices depend on.
type Billing struct {
	// Seconds of video that were asked for.
	Seconds int64
	// Songs that were asked for.
	Songs int64
	// Resolution in the public form, such as 720p or 1080p; empty where there is no choice.
	Resolution string
	// Audio says that the video has sound.
	Audio bool
}

// VideoRequest is a client's request for a video. Zero values are parameters that were not given.
type VideoRequest struct {
	Prompt string
	// Duration in seconds.
	Duration int
	// Resolution is 480p, 512p, 540p, 720p, 768p, 1080p, 2k or 4k, in lower case.
	Resolution string
	// AspectRatio is WIDTH:HEIGHT such as 16:9, or adaptive.
	AspectRatio string
	// Image is the first frame, LastImage the last: URLs or data URIs.
	Image, LastImage string
	// Seed makes results repeatable, nil if not given.
	Seed           *int64
	NegativePrompt string
	// Audio and Watermark are what the client said, nil if nothing. A watermark that nobody asked for is switched off.
	Audio, Watermark *bool
	// Now is the time of the call, for signatures.
	Now time.Time
	// ID is unique for the client's request: vendors that refuse a repeated submit by such a value are sent it.
	ID string
}

// Video is implemented by adapters that serve videos.
type Video interface {
	Tasks
	// SubmitVideo returns the call that makes the task. An error is an *Error: of class ClassInvalidRequest if this vendor cannot
	// take what the client sent, with the values that it takes. Nothing has been sent then.
	SubmitVideo(ctx context.Context, up *Upstream, in *VideoRequest) (*Submission, error)
}

// MusicRequest is a client's request for music. Zero values are parameters that were not given.
type MusicRequest struct {
	Prompt, Lyrics string
	// Duration in seconds that the client would like.
	Duration int
	// Instrumental asks for music without a voice.
	Instrumental bool
	// N is the number of songs, at least 1.
	N int
	// Now is the time of the call, for signatures.
	Now time.Time
	// ID is unique for the client's request.
	ID string
}

// Music is implemented by adapters that serve music.
type Music interface {
	Tasks
	// SubmitMusic returns the call that makes the task; errors as of SubmitVideo.
	SubmitMusic(ctx context.Context, up *Upstream, in *MusicRequest) (*Submission, error)
}
