package tencent

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// step is how long a job is queued, and how long it runs.
const step = 10 * time.Second

// bench is a simulator behind a listener, with a clock that only the test moves.
type bench struct {
	t   *testing.T
	sim *Simulator
	url string
	now atomic.Int64
}

func start(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t}
	b.now.Store(time.Date(2026, 11, 23, 0, 1, 0, 0, time.UTC).UnixNano())
	b.sim = New(studio.Options{Step: step, Now: b.clock, StallFor: time.Millisecond})
	server := httptest.NewServer(b.sim)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func (b *bench) clock() time.Time        { return time.Unix(0, b.now.Load()).UTC() }
func (b *bench) advance(d time.Duration) { b.now.Add(int64(d)) }

// order is a request to be signed; its fields are what a client may get wrong.
type order struct {
	service, version, action, body string
	// signed are the signed headers besides content-type and host, already in their places.
	signed []string
	at     time.Time
	// spoil changes the request after it was signed.
	spoil func(*http.Request)
}

func imageOrder(action, body string) order {
	return order{service: "aiart", version: "2022-12-29", action: action, body: body}
}

func videoOrder(action, body string) order {
	return order{service: "vclm", version: "2024-05-23", action: action, body: body}
}

func (b *bench) request(o order) *http.Request {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+"/", strings.NewReader(o.body))
	if err != nil {
		b.t.Fatalf("making a request: %v", err)
	}
	if o.at.IsZero() {
		o.at = b.clock()
	}
	if o.signed == nil {
		o.signed = []string{"content-type", "host"}
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "X-TC-Action": o.action, "X-TC-Version": o.version,
		"X-TC-Region": "ap-guangzhou", "X-TC-Timestamp": fmt.Sprint(o.at.Unix())} {
		req.Header.Set(name, value)
	}
	req.Header.Set("Authorization", signed(b.sim, req, o))
	if o.spoil != nil {
		o.spoil(req)
	}
	return req
}

// signed is a client's own way to the Authorization header.
func signed(s *Simulator, req *http.Request, o order) string {
	hash := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
	code := func(key, text string) string {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(text))
		return string(h.Sum(nil))
	}
	canonical := "POST\n/\n\n"
	for _, name := range o.signed {
		value := req.Header.Get(name)
		if name == "host" {
			value = req.URL.Host
		}
		canonical += name + ":" + strings.ToLower(value) + "\n"
	}
	names := strings.Join(o.signed, ";")
	canonical += "\n" + names + "\n" + hash(o.body)
	scope := o.at.UTC().Format("2006-01-02") + "/" + o.service + "/tc3_request"
	text := fmt.Sprintf("TC3-HMAC-SHA256\n%d\n%s\n%s", o.at.Unix(), scope, hash(canonical))
	key := code(code(code("TC3"+s.SecretKey(), o.at.UTC().Format("2006-01-02")), o.service), "tc3_request")
	return fmt.Sprintf("TC3-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x", s.SecretID(), scope, names, code(key, text))
}

// reply is what came back; err is that of sending or reading.
type reply struct {
	status int
	body   string
	err    error
}

func (r reply) code() string             { return gjson.Get(r.body, "Response.Error.Code").Str }
func (r reply) at(p string) gjson.Result { return gjson.Get(r.body, "Response."+p) }

func (b *bench) send(req *http.Request) reply {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, string(body), err}
}

func (b *bench) ask(o order) reply {
	b.t.Helper()
	return b.send(b.request(o))
}

// submit expects a job and returns its id.
func (b *bench) submit(o order) string {
	b.t.Helper()
	r := b.ask(o)
	if r.at("JobId").Str == "" || r.at("RequestId").Str == "" {
		b.t.Fatalf("submitting: %+v", r)
	}
	return r.at("JobId").Str
}

func (b *bench) image(id string) reply {
	b.t.Helper()
	return b.ask(imageOrder("QueryTextToImageJob", `{"JobId":"`+id+`"}`))
}

func (b *bench) video(id string) reply {
	b.t.Helper()
	return b.ask(videoOrder("DescribeHunyuanToVideoJob", `{"JobId":"`+id+`"}`))
}

// download gets a result by its address alone.
func (b *bench) download(address string) (status int, data []byte) {
	b.t.Helper()
	res, err := http.Get(address)
	if err != nil {
		b.t.Fatalf("downloading: %v", err)
	}
	defer res.Body.Close()
	if data, err = io.ReadAll(res.Body); err != nil {
		b.t.Fatalf("downloading: %v", err)
	}
	return res.StatusCode, data
}

// look opens an image and says how large it is and whether it carries the mark.
func look(t *testing.T, data []byte) (width, height int, marked bool) {
	t.Helper()
	m, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("the image does not open: %v", err)
	}
	at := m.Bounds().Max
	r, _, _, _ := color.RGBAModel.Convert(m.At(at.X-2, at.Y-at.Y/16)).RGBA()
	return at.X, at.Y, r > 0xc000
}

// last is the newest entry of the ledger. A handler books after its client has read the answer.
func (b *bench) last() studio.Entry {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 5*time.Second)
	defer cancel()
	ticks := time.NewTicker(time.Millisecond)
	defer ticks.Stop()
	for b.sim.InFlight() > 0 {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			b.t.Fatal("a request is still being served")
		}
	}
	entries := b.sim.Ledger()
	return entries[len(entries)-1]
}
