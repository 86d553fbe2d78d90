package cluster_test

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/test/sim"
)

// lossBound is what of a replica that is lost may not have been written: what it settled that long before.
const lossBound = 2 * time.Second

// sum is what a key used.
type sum struct{ requests, prompt, completion int64 }

// add adds a line.
func (s *sum) add(l *logLine) {
	s.requests++
	s.prompt += l.Prompt
	s.completion += l.Completion
}

// String is for figures.
func (s sum) String() string {
	return fmt.Sprintf("%d requests, %d + %d tokens", s.requests, s.prompt, s.completion)
}

// killed is when replicas were.
type killed map[*replica]time.Time

// orderPattern finds a request's id in its prompt.
var orderPattern = regexp.MustCompile(`order-[0-9]+`)

// bills are what the vendor billed, by the ids of requests. A request that it billed twice fails the test.
func (w *world) bills() map[string]sim.Entry {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	if err := w.vendor.WaitIdle(ctx); err != nil {
		w.t.Fatal("the vendor is busy although all clients have gone")
	}
	bills := map[string]sim.Entry{}
	for _, e := range w.vendor.Ledger() {
		id := string(orderPattern.Find(e.Body))
		if _, twice := bills[id]; twice {
			w.t.Errorf("%s reached the vendor twice", id)
		}
		if e.Leak || len(e.Violations) > 0 {
			w.t.Errorf("%s reached the vendor with what no proxy may forward", id)
		}
		if e.PromptTokens > 0 {
			bills[id] = e
		}
	}
	return bills
}

// settled compares each line of the access logs with the vendor's bill. It returns the sums by key, of all lines and of those that a lost
// replica need not have written, and how many bills have no line: requests that were under way at a replica when it was killed.
func (w *world) settled(at killed) (all, risky map[string]*sum, unsettled int) {
	w.t.Helper()
	bills := w.bills()
	all, risky = map[string]*sum{}, map[string]*sum{}
	for _, r := range w.replicas {
		end, lost := at[r]
		for _, l := range r.lines("Request") {
			bill, billed := bills[l.RequestID]
			if l.Key == "" || l.Prompt == 0 {
				continue
			}
			delete(bills, l.RequestID)
			if !billed || l.Prompt != int64(bill.PromptTokens) || l.Completion != int64(bill.CompletionTokens) {
				w.t.Errorf("%s is settled with %d + %d tokens (%s, estimated: %v), the vendor bills %d + %d", l.RequestID, l.Prompt, l.Completion, l.Outcome,
					l.Estimated, bill.PromptTokens, bill.CompletionTokens)
			}
			if all[l.Key] == nil {
				all[l.Key], risky[l.Key] = &sum{}, &sum{}
			}
			all[l.Key].add(&l)
			if lost && l.Time.After(end.Add(-lossBound)) {
				risky[l.Key].add(&l)
			}
		}
	}
	return all, risky, len(bills)
}

// reported is what the usage reports say of a key.
func reported(v *ledger.View, key string) (s sum) {
	for _, row := range v.History(key, time.Now().UTC().AddDate(0, 0, -2)).Rows {
		s.requests += row.Requests
		s.prompt += row.Usage.PromptTokens
		s.completion += row.Usage.CompletionTokens
	}
	return s
}

// compare waits until the reports hold all that replicas settled, but for what the loss of some allows, and fails if they hold more.
func (w *world) compare(at killed) {
	w.t.Helper()
	all, risky, unsettled := w.settled(at)
	within := func(key string, s sum) bool {
		most, may := all[key], risky[key]
		return s.requests >= most.requests-may.requests && s.prompt >= most.prompt-may.prompt && s.completion >= most.completion-may.completion
	}
	var v *ledger.View
	w.eventually("the reports hold what was settled", func() bool {
		v = w.view()
		for key := range all {
			if !within(key, reported(v, key)) {
				return false
			}
		}
		return true
	})
	var settled, lost, allowed int64
	for key, most := range all {
		s := reported(v, key)
		if s.requests > most.requests || s.prompt > most.prompt || s.completion > most.completion {
			w.t.Errorf("%s: the reports hold %s, settled were %s: something counts twice", key, s, *most)
		}
		settled, lost, allowed = settled+most.requests, lost+most.requests-s.requests, allowed+risky[key].requests
	}
	w.t.Logf("%d settled, each as the vendor bills it; %d of them lost with replicas (%d might be), none counted twice; %d more billed that were under way at a "+
		"killed replica", settled, lost, allowed, unsettled)
	if len(at) == 0 && unsettled > 0 {
		w.t.Errorf("%d bills of the vendor were never settled", unsettled)
	}
}
