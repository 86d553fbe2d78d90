package cluster_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
)

// fired counts requests of fire, whose ids are unlike those of a load.
var fired atomic.Int64

// fire makes so many requests at each replica, thirty at a time, and counts what they are answered.
func (w *world) fire(replicas []*replica, key string, each int) map[int]int {
	w.t.Helper()
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for _, r := range replicas {
		slots := make(chan struct{}, 30)
		for range each {
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				id := fmt.Sprintf("order-%d", 1_000_000+fired.Add(1))
				status, err := w.ask(r, key, id, "Tell me more, "+id, "", false)
				if err != nil {
					status = 0
				}
				mu.Lock()
				defer mu.Unlock()
				statuses[status]++
			})
		}
	}
	wg.Wait()
	return statuses
}

// billed is what the vendor bills, in USD.
func (w *world) billed() float64 {
	w.t.Helper()
	total := 0
	for _, e := range w.bills() {
		total += e.PromptTokens + 2*e.CompletionTokens
	}
	return float64(total) / 1e6
}

// models asks what a key may use.
func (w *world) models(r *replica, key string) int {
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, r.base+"/v1/models/"+model, nil)
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := w.http.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// warm waits until replicas serve the model.
func (w *world) warm(replicas []*replica, key string) {
	w.t.Helper()
	for _, r := range replicas {
		w.eventually(r.name+" serves the model", func() bool { return w.fire([]*replica{r}, key, 1)[http.StatusOK] == 1 })
	}
}
