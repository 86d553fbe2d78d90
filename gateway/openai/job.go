package openai

// Job is asynchronous work as a client sees it. OpenAI has no such endpoint; the words of status are those of its videos.
type Job struct {
	// ID and JobID are the same.
	ID    string `json:"id"`
	JobID string `json:"job_id"`
	// Object is video or music.
	Object string `json:"object"`
	// Status is queued, in_progress, completed, failed or cancelled.
	Status string `json:"status"`
	// Progress in percent; left out where the vendor tells none.
	Progress *int `json:"progress,omitempty"`
	// PollURL is relative to the gateway.
	PollURL string `json:"poll_url"`
	// Model is the public name of the model that serves.
	Model string `json:"model"`
	// CreatedAt and CompletedAt in Unix seconds; CompletedAt is left out until the vendor tells it.
	CreatedAt   int64 `json:"created_at"`
	CompletedAt int64 `json:"completed_at,omitempty"`
	// Result is there once the status is completed.
	Result *JobResult `json:"result,omitempty"`
	// Warnings say which parameters could not be honoured.
	Warnings []string `json:"warnings,omitempty"`
	// Error is there once the status is failed.
	Error *JobError `json:"error,omitempty"`
}

// JobResult is what a job has made.
type JobResult struct {
	// URL is the first of URLs.
	URL  string   `json:"url"`
	URLs []string `json:"urls"`
	// ExpiresAt is when the addresses stop working, in Unix seconds; left out where nobody tells.
	ExpiresAt int64 `json:"expires_at,omitempty"`
	// Files tell more of each file, other forms such as flac included.
	Files []JobFile `json:"files"`
}

// JobFile is one file of a result.
type JobFile struct {
	URL         string  `json:"url"`
	ContentType string  `json:"content_type,omitempty"`
	Variant     string  `json:"variant,omitempty"`
	Duration    float64 `json:"duration,omitempty"`
	ExpiresAt   int64   `json:"expires_at,omitempty"`
}

// JobError says why a job failed.
type JobError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// JSON implements Document.
func (j Job) JSON() ([]byte, error) { return marshal(j) }
