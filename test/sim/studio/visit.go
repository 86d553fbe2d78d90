package studio

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody bounds what a simulator reads of a request.
const maxBody = 128 << 20

// Mode names a failure. The first group is refused in the vendor's own words by the simulator itself; [Visit.Play] plays the
// second; tasks obey the third.
type Mode string

// The switchable failures. A mode without meaning at a vendor takes the nearest general form.
const (
	Unauthorized  Mode = "unauthorized"
	NoBalance     Mode = "no_balance"
	RateLimit     Mode = "rate_limit"
	Concurrency   Mode = "concurrency"
	Overload      Mode = "overload"
	ServerError   Mode = "server_error"
	Moderation    Mode = "moderation"
	NotOpen       Mode = "not_open" // the model is not available to the account
	PartialOutput Mode = "partial"  // some of the images of a success are failures
	Truncated     Mode = "truncated"
	NoAudio       Mode = "no_audio" // a success without content
	MidStream     Mode = "mid_stream"

	// Drop closes the connection before the request has any effect, Lost after it had all of it, billing included.
	Drop Mode = "drop"
	Lost Mode = "lost"
	// Malformed answers 200 with broken JSON, HTML with a proxy's page and 504, Empty with 200 and nothing, Redirect with 307.
	Malformed Mode = "malformed"
	HTML      Mode = "html"
	Empty     Mode = "empty"
	Redirect  Mode = "redirect"
	// Stall sends nothing at all.
	Stall Mode = "stall"

	TaskFailed       Mode = "task_failed"
	ModerationOutput Mode = "moderation_output"
	TaskSlow         Mode = "task_slow"
	TaskStuck        Mode = "task_stuck"
)

// Visit is one request and its answer. It is used by one goroutine.
type Visit struct {
	*Studio
	W http.ResponseWriter
	R *http.Request
	// Body is the whole request body.
	Body []byte
	// Entry is what the ledger will hold.
	Entry Entry
}

// Handler serves a simulator: it keeps the books around each request and serves the files of results itself.
func (s *Studio) Handler(serve func(*Visit)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, filePrefix) {
			s.serveFile(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		v := &Visit{Studio: s, W: w, R: r, Body: body, Entry: s.begin(r, body)}
		defer func() {
			v.Entry.ClientGone = v.Entry.ClientGone || r.Context().Err() != nil
			s.end(v.Entry)
		}()
		switch {
		case err != nil:
			v.Entry.Reason = "reading the body: " + err.Error()
			v.Text(http.StatusBadRequest, "text/plain", v.Entry.Reason)
		case v.Entry.Leak:
			v.Entry.Reason = "a gateway key reached the upstream"
			v.Text(http.StatusInternalServerError, "text/plain", v.Entry.Reason)
		default:
			serve(v)
		}
	})
}

// Bearer returns the token of an Authorization header of the given scheme, which must be the only one.
func (v *Visit) Bearer(scheme string) (string, bool) {
	values := v.R.Header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	return strings.CutPrefix(values[0], scheme)
}

// Mode says how this valid request fails, and notes it.
func (v *Visit) Mode(prompt string) Mode {
	v.Entry.Mode = v.mode(prompt)
	return v.Entry.Mode
}

// Play plays the failures that look the same at every vendor and says whether it did. Lost is the simulator's own: it does the
// work first and calls Abort then.
func (v *Visit) Play(mode Mode) bool {
	switch mode {
	case Drop:
		v.Abort()
	case Malformed:
		v.Text(http.StatusOK, "application/json", `{"data":[{"url":"https://`)
	case HTML:
		v.Text(http.StatusGatewayTimeout, "text/html", "<html><head><title>504 Gateway Time-out</title></head></html>")
	case Empty:
		v.Text(http.StatusOK, "application/json", "")
	case Redirect:
		v.W.Header().Set("Location", "http://redirected.invalid"+v.R.URL.Path)
		v.Text(http.StatusTemporaryRedirect, "text/plain", "")
	case Stall:
		limit := v.opts.StallFor
		if limit == 0 {
			limit = 24 * time.Hour
		}
		v.Pause(limit)
		v.Abort()
	default:
		return false
	}
	return true
}

// Abort breaks the connection.
func (v *Visit) Abort() { panic(http.ErrAbortHandler) }

// Pause waits, and says whether the client is still there.
func (v *Visit) Pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-v.R.Context().Done():
		v.Entry.ClientGone = true
		return false
	}
}

// Work waits as long as a synchronous answer takes.
func (v *Visit) Work() bool { return v.Pause(v.opts.Latency) }

// JSON answers with a document.
func (v *Visit) JSON(status int, document any) {
	data, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	v.Text(status, "application/json", string(data))
}

// Text answers with a body as it is.
func (v *Visit) Text(status int, contentType, body string) {
	v.Entry.Status = status
	v.W.Header().Set("Content-Type", contentType)
	v.W.WriteHeader(status)
	if _, err := io.WriteString(v.W, body); err != nil {
		v.Entry.ClientGone = true
	}
}

// Chunk sends a piece of a stream at once and says whether the client took it. The first one begins the answer.
func (v *Visit) Chunk(contentType, piece string) bool {
	if v.Entry.Status == 0 {
		v.Entry.Status = http.StatusOK
		v.W.Header().Set("Content-Type", contentType)
		v.W.WriteHeader(http.StatusOK)
	}
	_, err := io.WriteString(v.W, piece)
	err = errors.Join(err, http.NewResponseController(v.W).Flush())
	v.Entry.ClientGone = v.Entry.ClientGone || err != nil
	return err == nil
}
