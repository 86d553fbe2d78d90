package chaos_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// pictureOrders is how many image requests there are.
const pictureOrders = 120

// imagesAnswer is the API's answer to a request for images.
type imagesAnswer struct {
	Data []struct {
		URL    string `json:"url"`
		Base64 string `json:"b64_json"`
	} `json:"data"`
	Errors []struct {
		Index int    `json:"index"`
		Code  string `json:"code"`
	} `json:"errors"`
}

// album is what clients know of their image requests.
type album struct {
	*world
	mu sync.Mutex
	// images are those that clients have, by the ids of requests; last is what each order's client heard last.
	images map[string]int64
	last   map[string]*answer
	whole  int
	part   int
}

// pictures lets calls of image requests fail, alone and together. What is charged is what clients have, and what clients lack of what the
// vendor bills are the answers that were lost.
func pictures(w *world) {
	replicas := []*replica{w.start(), w.start()}
	a := &album{world: w, images: map[string]int64{}, last: map[string]*answer{}}
	w.weather.storm(3, studio.Lost, studio.Truncated, studio.HTML, studio.ServerError, studio.RateLimit, studio.Overload, studio.Drop,
		studio.Malformed, studio.PartialOutput, studio.Moderation, page)
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for n := range pictureOrders {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			a.order(replicas[n%2], n)
		})
	}
	wg.Wait()
	w.settle()
	a.compare()
}

// order asks for images as an SDK does: again, as long as the gateway does not say that this is of no use.
func (a *album) order(r *replica, n int) {
	marker, count := fmt.Sprintf("order-%d", n), 1+n%4
	body := map[string]any{
		"model": "picture", "prompt": "a lighthouse, " + marker, "n": count, "response_format": []string{"url", "b64_json"}[n/4%2],
		"size": "8192x512", // a narrow one, which is quickly painted
	}
	for try := 0; ; try++ {
		id := fmt.Sprintf("%s.%d", marker, try)
		got := a.call(a.t.Context(), r, firstKey, http.MethodPost, "/v1/images/generations", body, "X-Request-Id", id)
		a.mu.Lock()
		a.last[marker] = got
		if got.status == http.StatusOK {
			a.open(id, got, count)
		}
		a.mu.Unlock()
		if got.final() || a.t.Context().Err() != nil {
			return
		}
		pause(a.t.Context(), a.weather.upTo(20*time.Millisecond))
	}
}

// open looks into an answer: every image that was asked for is there or has a reason. It is called with mu held.
func (a *album) open(id string, got *answer, count int) {
	var doc imagesAnswer
	if err := json.Unmarshal(got.body, &doc); err != nil {
		a.t.Errorf("%s: %v in %s", id, err, got)
		return
	}
	if len(doc.Data)+len(doc.Errors) != count || len(doc.Data) == 0 {
		a.t.Errorf("%s: asked for %d images: %d are there, %d are not", id, count, len(doc.Data), len(doc.Errors))
	}
	for _, d := range doc.Data {
		if (d.URL == "") == (d.Base64 == "") {
			a.t.Errorf("%s: an image that is none", id)
		}
	}
	for _, e := range doc.Errors {
		if e.Code == "" || e.Index < 0 || e.Index >= count {
			a.t.Errorf("%s: got %+v", id, e)
		}
	}
	a.images[id] = int64(len(doc.Data))
	if len(doc.Errors) == 0 {
		a.whole++
	} else {
		a.part++
	}
}

// compare looks at the books.
func (a *album) compare() {
	have := int64(0)
	for _, n := range a.images {
		have += n
	}
	logged := map[string]bool{}
	for _, r := range a.replicas {
		for _, l := range r.lines("Request") {
			if l.Images == 0 && l.Cost == "" {
				continue
			}
			if l.Images != a.images[l.RequestID] || !costs(l.Cost, l.Images, perImage) || logged[l.RequestID] {
				a.t.Errorf("%s is charged %d images for %s; the client has %d", l.RequestID, l.Images, l.Cost, a.images[l.RequestID])
			}
			logged[l.RequestID] = true
		}
	}
	if len(logged) != len(a.images) {
		a.t.Errorf("%d requests are charged, %d had images", len(logged), len(a.images))
	}
	billed, lost := int64(0), int64(0)
	for _, c := range a.vendor.Charges() {
		billed += c.Units
	}
	for marker, s := range a.ledger(picturePath) {
		lost += int64(s.lost - s.lostUnbilled)
		a.oneBill(marker, s)
	}
	if billed != have+lost {
		a.t.Errorf("the vendor bills %d images; clients have %d, and the answers of %d were lost", billed, have, lost)
	}
	if lost == 0 || a.whole == 0 || a.part == 0 {
		a.t.Errorf("the storm was too mild: %d lost, %d whole answers, %d partial ones", lost, a.whole, a.part)
	}
	a.t.Logf("%d images billed: %d delivered in %d whole and %d partial answers, %d lost", billed, have, a.whole, a.part, lost)
}

// oneBill fails if more was made for a request than it asked for, or if what was lost was not said.
func (a *album) oneBill(marker string, s seen) {
	var n int
	if _, err := fmt.Sscanf(marker, "order-%d", &n); err != nil {
		a.t.Fatal(err)
	}
	if count := 1 + n%4; s.made > count {
		a.t.Errorf("%s asked for %d images; the vendor worked on %d", marker, count, s.made)
	}
	if last := a.last[marker]; s.lost > 0 && last.status != http.StatusOK && !last.unsettled() {
		a.t.Errorf("%s was made, and its answer lost; the client heard %s", marker, last)
	}
}
