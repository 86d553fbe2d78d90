package chaos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	body   []byte
	// err means that there was no answer, or half of one.
	err error
}

// final says that the client was told not to send the request again, or need not.
func (a *answer) final() bool {
	return a.err == nil && (a.status < 500 && a.status != http.StatusTooManyRequests || a.header.Get("X-Should-Retry") == "false")
}

// refused says that the gateway told the client that the outcome is not known.
func (a *answer) unsettled() bool {
	return a.err == nil && a.status >= 500 && a.header.Get("X-Should-Retry") == "false"
}

// String is for messages.
func (a *answer) String() string {
	return fmt.Sprintf("%d x-should-retry=%q %.300s %v", a.status, a.header.Get("X-Should-Retry"), a.body, a.err)
}

// call sends a request.
func (w *world) call(ctx context.Context, r *replica, key, method, path string, body any, header ...string) *answer {
	var data []byte
	if body != nil {
		data, _ = json.Marshal(body) // maps of plain values marshal
	}
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, bytes.NewReader(data))
	if err != nil {
		return &answer{err: err}
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return &answer{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	a := &answer{status: resp.StatusCode, header: resp.Header}
	a.body, a.err = io.ReadAll(resp.Body)
	return a
}

// status is what a key gets for the list of models.
func (w *world) status(r *replica, key string) int {
	return w.call(w.t.Context(), r, key, http.MethodGet, "/v1/models", nil).status
}

// job is a job as the API shows it.
type job struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

// job reads a job; its ID is empty if there is none.
func (a *answer) job() job {
	var j job
	if a.err == nil && a.status == http.StatusOK {
		_ = json.Unmarshal(a.body, &j) // what is no job has no id
	}
	return j
}

// film is the body of a submit. The marker is how the vendor's ledger is read afterwards.
func film(marker string, seconds int) map[string]any {
	return map[string]any{"model": "film", "prompt": "a lighthouse, " + marker, "duration": seconds}
}

// submit sends one submit.
func (w *world) submit(r *replica, key string, body map[string]any, header ...string) *answer {
	return w.call(w.t.Context(), r, key, http.MethodPost, "/v1/videos/generations", body, header...)
}

// insist submits as an SDK does: again, as long as the gateway does not say that this is of no use.
func (w *world) insist(r *replica, key string, body map[string]any, header ...string) *answer {
	for {
		a := w.submit(r, key, body, header...)
		if a.final() || w.t.Context().Err() != nil {
			return a
		}
		pause(w.t.Context(), w.weather.upTo(20*time.Millisecond))
	}
}

// poll asks once where a job is.
func (w *world) poll(r *replica, key, id string) *answer {
	return w.call(w.t.Context(), r, key, http.MethodGet, "/v1/videos/jobs/"+id, nil)
}

// await polls until a job has ended and returns how. Polls may fail for a while, but no answer may say that there is no such job.
func (w *world) await(r *replica, key, id string) string {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		a := w.poll(r, key, id)
		j := a.job()
		switch {
		case a.err != nil || a.status == http.StatusNotFound || a.status == http.StatusUnauthorized:
			w.t.Errorf("a job is lost: %s", a)
			return "lost"
		case j.Status == "completed" || j.Status == "failed" || j.Status == "cancelled":
			return j.Status
		}
		pause(w.t.Context(), 200*time.Millisecond)
	}
	w.t.Errorf("a job does not end")
	return "endless"
}
