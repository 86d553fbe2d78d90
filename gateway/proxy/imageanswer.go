package proxy

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"vipcloud.ai/vipcloud/gateway/media"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/snapshot"
)

const (
	// maxImageBytes is the largest image that is fetched for a client that wants bytes.
	maxImageBytes = 48 << 20
	// fetchTries is how often that is tried: the image is paid for.
	fetchTries = 3
	// sniffBytes is how much of an image tells what it is.
	sniffBytes = 512
)

// imageAnswer is what a client gets for its images.
type imageAnswer struct {
	*images
	in      *media.Image
	results []provider.ImageResult
	// bytes are the images that were fetched, by their places among the results.
	bytes map[int][]byte
}

// fetch gets the bytes of images that are known by address. An image that cannot be fetched is a failure of its own; an error
// means that none is left.
func (a *imageAnswer) fetch(ctx context.Context, t *snapshot.Target) *provider.Error {
	a.bytes = map[int][]byte{}
	var last *provider.Error
	for i := range a.results {
		r := &a.results[i]
		if r.Failure != nil || r.Base64 != "" {
			continue
		}
		data, err := a.fetchOne(ctx, t, r.URL)
		if err != nil {
			last = &provider.Error{Class: provider.ClassNetwork, Cause: err}
			r.Failure = last
			continue
		}
		a.bytes[i] = data
	}
	if made(a.results) == 0 {
		return last
	}
	return nil
}

// fetchOne gets one image.
func (a *imageAnswer) fetchOne(ctx context.Context, t *snapshot.Target, address string) ([]byte, error) {
	var err error
	for range fetchTries {
		var data []byte
		if data, err = a.download(ctx, t, address); err == nil {
			return data, nil
		}
	}
	return nil, err
}

// download reads a file whole, when there is room for it.
func (a *imageAnswer) download(ctx context.Context, t *snapshot.Target, address string) ([]byte, error) {
	resp, err := t.Endpoint.Fetch(ctx, address, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, provider.BadResponse(resp.StatusCode, "file_unavailable", "the image cannot be fetched")
	}
	if err := a.hold(ctx, resp, 1, maxImageBytes); err != nil {
		return nil, err
	}
	return readBounded(resp, maxImageBytes)
}

// write answers: a document, or events.
func (a *imageAnswer) write(watch *watchdog) {
	contentType := "application/json"
	if a.in.Stream {
		contentType = "text/event-stream; charset=utf-8"
	}
	a.commit(contentType, watch)
	a.w.Header().Set("Cache-Control", "no-store")
	a.w.WriteHeader(http.StatusOK)
	out := &imageWriter{Writer: bufio.NewWriterSize(Deadlined(a.w, a.proxy.opts.WriteTimeout), 32<<10)}
	created := strconv.FormatInt(time.Now().Unix(), 10)
	if a.in.Stream {
		a.events(out, created)
	} else {
		a.document(out, created)
	}
	if out.Flush() != nil {
		a.res.ClientGone = true
	}
	a.res.AnswerBytes = out.written
}

// document writes OpenAI's images response. What could not be made stands beside what was, by its place in the request.
func (a *imageAnswer) document(out *imageWriter, created string) {
	out.text(`{"created":` + created + `,"data":[`)
	separator := ""
	for i := range a.results {
		if a.results[i].Failure != nil {
			continue
		}
		out.text(separator + "{")
		a.image(out, i)
		out.text("}")
		separator = ","
	}
	out.text("]")
	separator = `,"errors":[`
	for i := range a.results {
		if f := a.results[i].Failure; f != nil {
			e := publicError(f, false)
			out.text(separator + `{"index":` + strconv.Itoa(i) + `,"code":` + quote(e.Code) + `,"message":` + quote(e.Message) + "}")
			separator = ","
		}
	}
	if separator == "," {
		out.text("]")
	}
	out.text("}\n")
}

// image writes the members of one image.
func (a *imageAnswer) image(out *imageWriter, i int) {
	r := &a.results[i]
	data, fetched := a.bytes[i]
	switch {
	case fetched:
		out.text(`"b64_json":"`)
		out.base64(data)
		out.text(`"`)
	case r.Base64 != "":
		out.text(`"b64_json":"`)
		out.text(r.Base64) // checked by the adapter to be base64
		out.text(`"`)
	default:
		out.text(`"url":` + quote(r.URL))
		if r.Lifetime > 0 {
			out.text(`,"expires_at":` + strconv.FormatInt(time.Now().Add(r.Lifetime).Unix(), 10))
		}
	}
	if r.RevisedPrompt != "" {
		out.text(`,"revised_prompt":` + quote(r.RevisedPrompt))
	}
	if r.Size != "" {
		out.text(`,"size":` + quote(r.Size))
	}
}

// events writes OpenAI's image events, one for each image: there is nothing to show of an image before it is whole. What could not
// be made comes last, since clients stop at an error.
func (a *imageAnswer) events(out *imageWriter, created string) {
	const kind = "image_generation.completed"
	for i := range a.results {
		if a.results[i].Failure == nil {
			out.text("event: " + kind + "\ndata: {\"type\":\"" + kind + `","created_at":` + created + `,"output_format":"` + a.format(i) + `",`)
			a.image(out, i)
			out.text("}\n\n")
		}
	}
	for i := range a.results {
		if f := a.results[i].Failure; f != nil {
			out.text("data: " + string(publicError(f, false).AppendJSON(nil)) + "\n\n")
			return
		}
	}
}

// format names the file format of an image by its first bytes.
func (a *imageAnswer) format(i int) string {
	head := a.bytes[i]
	if r := &a.results[i]; r.Base64 != "" {
		head, _ = base64.StdEncoding.DecodeString(r.Base64[:min(len(r.Base64), sniffBytes)/4*4]) // what there is of it will do
	}
	switch http.DetectContentType(head) {
	case "image/jpeg":
		return "jpeg"
	case "image/webp":
		return "webp"
	}
	return "png"
}

// quote is a JSON string.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""` // strings always marshal
	}
	return string(b)
}

// imageWriter writes to a client; errors are kept by its buffer and told by Flush.
type imageWriter struct {
	*bufio.Writer
	written int64
}

// text writes a string as it is.
func (w *imageWriter) text(s string) {
	n, _ := w.WriteString(s) // Flush tells
	w.written += int64(n)
}

// base64 writes bytes encoded.
func (w *imageWriter) base64(data []byte) {
	e := base64.NewEncoder(base64.StdEncoding, w)
	_, _ = e.Write(data) // Flush tells
	_ = e.Close()
	w.written += int64(base64.StdEncoding.EncodedLen(len(data)))
}

// Deadlined gives each write to a client its time.
func Deadlined(w http.ResponseWriter, timeout time.Duration) io.Writer {
	return &deadlineWriter{w: w, control: http.NewResponseController(w), timeout: timeout}
}

// deadlineWriter writes with a deadline that moves on.
type deadlineWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
}

// Write implements io.Writer.
func (d *deadlineWriter) Write(p []byte) (int, error) {
	_ = d.control.SetWriteDeadline(time.Now().Add(d.timeout)) // test recorders cannot
	return d.w.Write(p)
}
