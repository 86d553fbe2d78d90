package chaos_test

import (
	"maps"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/gateway/jobs"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/test/sim/arkmedia"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// Prices of the models, in USD.
const (
	perSecond = "0.10"
	perImage  = "0.035"
)

// cost is what so many units cost, exactly.
func cost(units int64, price string) *big.Rat {
	p, ok := new(big.Rat).SetString(price)
	if !ok {
		panic(price)
	}
	return p.Mul(p, big.NewRat(units, 1))
}

// costs says whether an amount of the log is what so many units cost.
func costs(amount string, units int64, price string) bool {
	got, ok := new(big.Rat).SetString(amount)
	return ok && got.Cmp(cost(units, price)) == 0
}

// markerPattern finds the marker of a client's request in what the vendor was sent.
var markerPattern = regexp.MustCompile(`order-[0-9a-z-]+`)

// lostModes are the failures after which the vendor has done all of the work, and nobody has heard of it.
func lostModes() []studio.Mode { return []studio.Mode{studio.Lost, studio.Truncated} }

// took says that the vendor took a request on, whatever became of its answer.
func took(e *studio.Entry) bool {
	effect := append(lostModes(), "", studio.TaskFailed, studio.PartialOutput)
	return e.Reason == "" && slices.Contains(effect, e.Mode)
}

// lost says that the answer about what the vendor took on did not arrive.
func lost(e *studio.Entry) bool {
	return took(e) && (slices.Contains(lostModes(), e.Mode) || e.Header.Get(pageHeader) != "")
}

// seen is what the vendor's ledger says of one request of a client.
type seen struct {
	// made counts what the vendor took on, lost what of that had an answer that did not arrive, unbilled what of made it did not finish.
	// What was lost may be unbilled, too.
	made, lost, unbilled, lostUnbilled int
}

// settle waits until the vendor is idle and nothing it has taken on is under way.
func (w *world) settle() {
	w.t.Helper()
	w.weather.calm()
	w.eventually("the vendor is done", func() bool { return w.vendor.InFlight() == 0 && w.vendor.Unfinished() == 0 })
}

// ledger reads what the vendor made at a path, by the markers of clients' requests.
func (w *world) ledger(path string) map[string]seen {
	w.t.Helper()
	all := map[string]seen{}
	for _, e := range w.vendor.Ledger() {
		if e.Leak {
			w.t.Error("a key of the client reached the vendor")
		}
		if e.Method != http.MethodPost || e.Path != path {
			continue
		}
		marker := string(markerPattern.Find(e.Body))
		if marker == "" {
			w.t.Errorf("a request without a marker reached the vendor: %s", e.Body)
		}
		s := all[marker]
		unbilled := e.Mode == studio.TaskFailed || e.Mode == studio.PartialOutput
		for count, holds := range map[*int]bool{
			&s.made: took(&e), &s.lost: lost(&e), &s.unbilled: took(&e) && unbilled, &s.lostUnbilled: lost(&e) && unbilled,
		} {
			if holds {
				*count++
			}
		}
		all[marker] = s
	}
	return all
}

// jobLines gathers the log lines about the money of jobs from all replicas, by state and hash. Several of one state and job must agree.
func (w *world) jobLines() map[string]map[string]logLine {
	w.t.Helper()
	all := map[string]map[string]logLine{"reserved": {}, "charged": {}, "released": {}}
	for _, r := range w.replicas {
		for _, l := range r.lines("Job charge") {
			if before, ok := all[l.State][l.Job]; ok && before != l {
				w.t.Errorf("job %s is %s with %+v and with %+v", l.Job, l.State, before, l)
			}
			all[l.State][l.Job] = l
		}
	}
	return all
}

// balance compares the books once everything has ended. Known are the ids that clients have, with the states that they ended in.
// It returns how many tasks the vendor billed that no client has an id of.
func (w *world) balance(known map[string]string) (unknown int) {
	w.t.Helper()
	lines := w.jobLines()
	bills := map[string]studio.Charge{}
	for _, c := range w.vendor.Charges() {
		if _, twice := bills[c.ID]; twice {
			w.t.Errorf("the vendor bills task %s twice", c.ID)
		}
		bills[c.ID] = c
	}
	ring, charged := w.ring(), map[string]logLine{}
	for id, state := range known {
		hash := jobs.Hash(id)
		made := w.open(&ring, id)
		if r := lines["reserved"][hash]; r.Seconds != made.Billing.Seconds || !costs(r.Cost, r.Seconds, perSecond) {
			w.t.Errorf("for job %s of %d seconds was reserved %+v", hash, made.Billing.Seconds, r)
		}
		bill, billed := bills[made.Task.ID]
		delete(bills, made.Task.ID)
		line, ok := lines["charged"][hash]
		if ok {
			charged[hash] = line
		}
		_, released := lines["released"][hash]
		switch {
		case ok != billed || ok != (state == "completed") || released == ok:
			w.t.Errorf("job %s is %s: charged %v, released %v, billed by the vendor %v", hash, state, ok, released, billed)
		case ok && (line.Seconds != bill.Units || !costs(line.Cost, bill.Units, perSecond) || line.Currency != "USD"):
			w.t.Errorf("job %s is charged %+v, billed %+v", hash, line, bill)
		}
	}
	if len(charged) != len(lines["charged"]) {
		w.t.Errorf("%d jobs are charged, of which clients know %d", len(lines["charged"]), len(charged))
	}
	return len(bills)
}

// open reads a client's id.
func (w *world) open(ring *keyring.Ring, id string) *jobs.Job {
	w.t.Helper()
	j, err := jobs.Open(ring, id, owner, time.Now())
	if err != nil {
		w.t.Fatalf("an id that a client got cannot be opened: %v", err)
	}
	return j
}

// onceEach fails if any task was made twice for one request of a client.
func (w *world) onceEach(ledger map[string]seen) {
	w.t.Helper()
	for _, marker := range slices.Sorted(maps.Keys(ledger)) {
		if s := ledger[marker]; s.made > 1 {
			w.t.Errorf("%s: the vendor made %d tasks", marker, s.made)
		}
	}
}

// filmPath and picturePath are the vendor's, as it sees them itself.
const (
	filmPath    = arkmedia.TasksPath
	picturePath = arkmedia.ImagesPath
)

// idsOf returns the ids of known jobs in order.
func idsOf(known map[string]string) []string { return slices.Sorted(maps.Keys(known)) }

// has says whether a text is among the answers to polls.
func has(states map[string]string, state string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(states)), func(s string) bool { return strings.EqualFold(s, state) })
}
