package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// build makes what an adapter sends first for one request of a client.
type build func(ctx context.Context, up *provider.Upstream) ([]*http.Request, error)

// checkBuild checks that requests are made of nothing but what is given, and that the admin has the last word on their bodies. In
// is the client's request, which must stay as it is.
func (r *rig) checkBuild(tb testing.TB, in any, b build) {
	tb.Helper()
	r.checkPure(tb, in, b)
	r.checkParameters(tb, b)
}

// checkPure checks that making a request twice gives the same bytes, and changes nothing that was given.
func (r *rig) checkPure(tb testing.TB, in any, b build) {
	tb.Helper()
	before := asJSON(tb, in) + asJSON(tb, r.up)
	var wires [2]string
	for i := range wires {
		reqs, err := b(r.context(tb), r.up)
		if err != nil {
			tb.Fatalf("making the request: %v", err)
		}
		for _, req := range reqs {
			r.checkRequest(tb, req)
			wires[i] += wire(tb, req)
		}
	}
	after := asJSON(tb, in) + asJSON(tb, r.up)
	switch {
	case after != before:
		tb.Errorf("making a request changes what it is made of:\nbefore %s\nafter  %s", before, after)
	case wires[0] != wires[1]:
		tb.Errorf("two builds of one request differ:\n%s\n%s", wires[0], wires[1])
	default:
		r.checkConcurrent(tb, b, wires[0])
	}
}

// checkConcurrent makes a request several times at once, for the race detector to see what is shared.
func (r *rig) checkConcurrent(tb testing.TB, b build, want string) {
	tb.Helper()
	ctx := r.context(tb)
	made := make([][]*http.Request, 4)
	errs := make([]error, len(made))
	var all sync.WaitGroup
	for i := range made {
		all.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[i] = fmt.Errorf("panic: %v", p)
				}
			}()
			made[i], errs[i] = b(ctx, r.up)
		})
	}
	all.Wait()
	for i, reqs := range made {
		var got strings.Builder
		for _, req := range reqs {
			got.WriteString(wire(tb, req))
		}
		if got := got.String(); errs[i] != nil || got != want {
			tb.Errorf("of four builds at once one differs (%v):\n%s\n%s", errs[i], got, want)
		}
	}
}

// asJSON is a picture of plain data.
func asJSON(tb testing.TB, v any) string {
	tb.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		tb.Fatalf("marshalling: %v", err)
	}
	return string(data)
}

// wire is what a request looks like on its way.
func wire(tb testing.TB, req *http.Request) string {
	tb.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", req.Method, req.URL)
	for _, name := range sorted(req.Header) {
		fmt.Fprintf(&b, "%s: %q\n", name, req.Header[name])
	}
	fmt.Fprintf(&b, "\n%s\n", replay(tb, req))
	return b.String()
}

// members are the top-level members of a body.
type members map[string]json.RawMessage

// bodies makes requests and reads their bodies.
func (r *rig) bodies(tb testing.TB, b build, p provider.Parameters) []members {
	tb.Helper()
	changed := r.under(func(up *provider.Upstream) { up.Parameters = p })
	reqs, err := b(r.context(tb), changed.up)
	if err != nil {
		tb.Fatalf("making the request with %+v: %v", p, err)
	}
	var all []members
	for _, req := range reqs {
		if req.Body == nil {
			tb.Fatalf("%s %s has no body", req.Method, req.URL.Path)
		}
		data, err := io.ReadAll(req.Body)
		var m members
		if err = errors.Join(err, json.Unmarshal(data, &m)); err != nil {
			tb.Fatalf("the body of %s is no JSON object: %v: %s", req.URL.Path, err, data)
		}
		all = append(all, m)
	}
	return all
}

// checkParameters checks that overrides and drops reach the top level of the bodies: each member that the adapter writes can be
// changed and taken away, and others can be added, while the rest stays.
func (r *rig) checkParameters(tb testing.TB, b build) {
	tb.Helper()
	plain := r.bodies(tb, b, provider.Parameters{})
	names := sorted(plain[0])
	if len(names) == 0 {
		tb.Errorf("the body of the request is empty")
	}
	for _, name := range append(names, "x_conformance") {
		override := provider.Parameter{Name: name, Value: json.RawMessage(`{"x":[1,"two"]}`)}
		overrides := []provider.Parameter{override}
		r.compareBodies(tb, "override of "+name, plain, r.bodies(tb, b, provider.Parameters{Overrides: overrides}), name, override.Value)
		r.compareBodies(tb, "drop of "+name, plain, r.bodies(tb, b, provider.Parameters{Drop: []string{name}}), name, nil)
		both := provider.Parameters{Overrides: overrides, Drop: []string{name}}
		r.compareBodies(tb, "override and drop of "+name, plain, r.bodies(tb, b, both), name, nil)
	}
}

// compareBodies checks that one member has a value, or is not there if that is nil, and that all others are as they were.
func (r *rig) compareBodies(tb testing.TB, what string, plain, got []members, name string, value json.RawMessage) {
	tb.Helper()
	if len(got) != len(plain) {
		tb.Fatalf("%s: %d requests, want %d", what, len(got), len(plain))
	}
	for i := range plain {
		want := maps.Clone(plain[i])
		delete(want, name)
		if value != nil {
			want[name] = value
		}
		same := func(a, b json.RawMessage) bool { return string(a) == string(b) }
		if !maps.EqualFunc(got[i], want, same) {
			tb.Errorf("%s: the body is %s, want %s", what, asJSON(tb, got[i]), asJSON(tb, want))
		}
	}
}

// echoed are overrides that change nothing: every member with the value that it has, and a drop of what is not there.
func (r *rig) echoed(tb testing.TB, b build) provider.Parameters {
	tb.Helper()
	body := r.bodies(tb, b, provider.Parameters{})[0]
	p := provider.Parameters{Drop: []string{"x_conformance"}}
	for _, name := range sorted(body) {
		p.Overrides = append(p.Overrides, provider.Parameter{Name: name, Value: body[name]})
	}
	return p
}

// checkRefused checks that an adapter refuses what it cannot take before anything is sent, and tells what it takes.
func (r *rig) checkRefused(tb testing.TB, what, param string, allowed []string, b build) {
	tb.Helper()
	reqs, err := b(r.context(tb), r.up)
	r.classed(tb, what, err, 0, provider.ClassInvalidRequest)
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || e == nil {
		return
	}
	if len(reqs) > 0 {
		tb.Errorf("%s: it is refused, and there are requests", what)
	}
	if e.Param != param {
		tb.Errorf("%s: Param = %q, want %q", what, e.Param, param)
	}
	told := func(value string) bool { return strings.Contains(e.Message, value) }
	if missing := slices.DeleteFunc(slices.Clone(allowed), told); len(missing) > 0 || e.Message == "" {
		tb.Errorf("%s: the message does not tell %q: %q", what, missing, e.Message)
	}
}
