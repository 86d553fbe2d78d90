package providertest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime/debug"
	"slices"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// conformanceHeader is what the admin adds to every request.
const conformanceHeader = "X-Conformance"

// trial is one thing that the suite proves.
type trial struct {
	name string
	run  func(tb testing.TB)
}

// mark is in the context of every request that the suite asks for.
type mark struct{}

// rig is an adapter in front of a simulator that serves.
type rig struct {
	m      Media
	up     *provider.Upstream
	client *http.Client
	host   string
	ids    *int
}

// newRig starts the simulator.
func newRig(tb testing.TB, m Media) *rig {
	tb.Helper()
	server := httptest.NewServer(m.Handler)
	tb.Cleanup(server.Close)
	up := m.Upstream
	up.Endpoint = server.URL + up.Endpoint
	if up.Header = up.Header.Clone(); up.Header == nil {
		up.Header = http.Header{}
	}
	up.Header.Set(conformanceHeader, "yes")
	address, err := url.Parse(server.URL)
	if err != nil {
		tb.Fatalf("reading the simulator's address: %v", err)
	}
	return &rig{m: m, up: &up, client: Client(), host: address.Host, ids: new(int)}
}

// under is the rig with another upstream.
func (r *rig) under(change func(up *provider.Upstream)) *rig {
	up, other := *r.up, *r
	change(&up)
	other.up = &up
	return &other
}

// trials wraps what is to be proved: a panic is a failure of that trial alone, and the next one finds a healthy simulator with
// nothing to do.
func (r *rig) trials(all ...trial) []trial {
	for i, tr := range all {
		all[i].run = func(tb testing.TB) {
			tb.Helper()
			defer r.drain(tb)
			defer func() {
				if p := recover(); p != nil {
					tb.Errorf("panic: %v\n%s", p, debug.Stack())
				}
			}()
			tr.run(tb)
		}
	}
	return all
}

// drain heals the simulator and lets its tasks end.
func (r *rig) drain(tb testing.TB) {
	tb.Helper()
	r.m.Studio.Heal()
	for range maxPolls {
		if r.m.Studio.Unfinished() == 0 {
			return
		}
		r.m.Clock.tick(tb)
	}
	tb.Errorf("the simulator is still at work after %s", maxPolls*pollTick)
}

// context is what requests must carry.
func (r *rig) context(tb testing.TB) context.Context {
	tb.Helper()
	return context.WithValue(tb.Context(), mark{}, true)
}

// id is unique, in the form of a UUID.
func (r *rig) id() string {
	*r.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", *r.ids)
}

// lacks says whether the vendor has not what is named.
func (r *rig) lacks(name string) bool { return slices.Contains(r.m.Without, name) }

// courier returns one that checks every request by the law.
func (r *rig) courier(tb testing.TB) *courier {
	tb.Helper()
	made := 0
	return &courier{
		tb: tb, client: r.client,
		before: func(req *http.Request, _ bool) {
			r.checkRequest(tb, req)
			made = r.m.Studio.Unfinished()
			made += len(r.m.Studio.Charges()) // what is done between the two is counted twice
		},
		after: func(req *http.Request, paid bool) {
			now := len(r.m.Studio.Charges())
			now += r.m.Studio.Unfinished() // what is done between the two is not counted
			if !paid && now > made {
				tb.Errorf("%s %s made something, and its step is not Paid", req.Method, req.URL.Path)
			}
		},
	}
}

// books are the charges so far.
func (r *rig) books() map[studio.Charge]int {
	books := map[studio.Charge]int{}
	for _, c := range r.m.Studio.Charges() {
		books[c]++
	}
	return books
}

// billed is what has been charged since the books were read: units of a kind.
func (r *rig) billed(tb testing.TB, before map[studio.Charge]int, kind studio.Kind) int64 {
	tb.Helper()
	units := int64(0)
	for c, n := range r.books() {
		if n -= before[c]; n <= 0 {
			continue
		}
		if c.Kind != kind {
			tb.Errorf("a charge is for %s, want %s: %+v", c.Kind, kind, c)
		}
		units += int64(n) * c.Units
	}
	return units
}

// checkModality checks that the adapter says that it serves what it serves.
func (r *rig) checkModality(tb testing.TB, modality provider.Modality) {
	tb.Helper()
	if !r.m.Adapter.Info.Serves(modality) {
		tb.Errorf("Info.Modalities = %q lacks %s", r.m.Adapter.Info.Modalities, modality)
	}
}

// sorted returns the names of a table of cases in order.
func sorted[T any](table map[string]T) []string { return slices.Sorted(maps.Keys(table)) }
