package providertest

import (
	"fmt"
	"slices"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// refusals are the failures by which every vendor refuses a call; nothing is made then.
func refusals() []studio.Mode {
	return []studio.Mode{
		studio.Unauthorized, studio.NoBalance, studio.RateLimit, studio.Concurrency, studio.Overload, studio.ServerError,
		studio.Moderation, studio.NotOpen,
	}
}

// broken are the failures that look the same at every vendor.
func broken() []studio.Mode {
	return []studio.Mode{studio.Malformed, studio.HTML, studio.Empty, studio.Redirect}
}

// special are the failures that only a vendor of a kind has.
func special(kind studio.Kind) []studio.Mode {
	switch kind {
	case studio.Image:
		return []studio.Mode{studio.ModerationOutput, studio.PartialOutput}
	case studio.Speech:
		return []studio.Mode{studio.Truncated, studio.NoAudio, studio.MidStream}
	default:
		return []studio.Mode{studio.TaskFailed, studio.ModerationOutput}
	}
}

// names are all that Without may name.
func names() []string {
	all := []string{
		WithoutUsage, WithoutSquare, WithoutCancel, WithoutUnknownTask, WithoutUnknownVoice, WithoutWrongKey, WithoutPollFailures,
		WithoutStreaming,
	}
	modes := slices.Concat(refusals(), special(studio.Image), special(studio.Speech), special(studio.Video))
	for _, mode := range modes {
		all = append(all, string(mode))
	}
	return all
}

// fixture checks that the fixture says something of every failure, and nothing that means nothing.
func (r *rig) fixture(kind studio.Kind) trial {
	return trial{"fixture", func(tb testing.TB) {
		tb.Helper()
		for _, mode := range slices.Concat(refusals(), special(kind)) {
			_, classified := r.m.Failures[mode]
			if classified == r.lacks(string(mode)) {
				tb.Errorf("failure %q: it is in Failures = %v and in Without = %v, want one of them", mode, classified, r.lacks(string(mode)))
			}
		}
		for _, name := range r.m.Without {
			if !slices.Contains(names(), name) {
				tb.Errorf("Without names %q, which means nothing", name)
			}
		}
		for entry, value := range r.up.Secrets {
			if !slices.Contains(r.m.Identifiers, entry) && len(value.Reveal()) < minSecret {
				tb.Errorf("the value of %s is shorter than %d bytes: it may occur anywhere", entry, minSecret)
			}
		}
	}}
}

// expected are the classes that a failure may have.
func (r *rig) expected(mode studio.Mode) []provider.Class {
	if class, ok := r.m.Failures[mode]; ok {
		return []provider.Class{class}
	}
	classes := []provider.Class{provider.ClassBadResponse, provider.ClassServerError}
	if mode == studio.HTML { // with status 504
		classes = append(classes, provider.ClassTimeout)
	}
	return classes
}

// outcome is what became of a request that was to fail.
type outcome struct {
	err error
	// status is that of the last answer, -1 if the error need not tell it.
	status int
	billed int64
	// targets are the adapter's readers of what came back.
	targets []target
}

// failures are trials of the failures by which a vendor refuses calls, and of those that any server has.
func (r *rig) failures(try func(tb testing.TB, mode studio.Mode) outcome) []trial {
	var all []trial
	for _, mode := range slices.Concat(refusals(), broken()) {
		if r.lacks(string(mode)) {
			continue
		}
		all = append(all, trial{"failure/" + string(mode), func(tb testing.TB) {
			tb.Helper()
			got := r.played(tb, mode, func() outcome { return try(tb, mode) })
			r.classed(tb, string(mode), got.err, got.status, r.expected(mode)...)
			if got.billed != 0 {
				tb.Errorf("the vendor bills %d for a call that it refuses", got.billed)
			}
			r.attackFailure(tb, got.targets)
		}})
	}
	return all
}

// played checks that the simulator did what it was asked to do.
func (r *rig) played(tb testing.TB, mode studio.Mode, do func() outcome) outcome {
	tb.Helper()
	before := len(r.m.Studio.Ledger())
	got := do()
	for _, e := range r.m.Studio.Ledger()[before:] {
		if e.Mode == mode {
			return got
		}
	}
	tb.Errorf("the simulator has not played %q: it reads directives in prompts with Visit.Mode", mode)
	return got
}

// attackFailure reads variants of an answer that tells of a failure.
func (r *rig) attackFailure(tb testing.TB, all []target) {
	tb.Helper()
	for _, g := range all {
		a := &assault{tb: tb, target: g, left: maxProblems}
		g.framed = false // a failure that is cut off is one still, or another
		a.target = g
		ok := a.failing(g.answer.Status)
		if !ok {
			return
		}
	}
}

// failing tries variants; none of a status that is no success may be taken for one.
func (a *assault) failing(status int) bool {
	a.tb.Helper()
	wanted := func(got reading) error {
		if status/100 != 2 && got.err == nil && !got.gone {
			return fmt.Errorf("status %d is taken for a success", status)
		}
		return nil
	}
	for body := range prefixes(a.target.answer.Body) {
		answer := copyAnswer(a.target.answer)
		answer.Body = body
		if !a.try(fmt.Sprintf("a failure cut off after %d bytes", len(body)), answer, wanted) {
			return false
		}
	}
	for what, body := range mutants(a.target.answer.Body) {
		answer := copyAnswer(a.target.answer)
		answer.Body = body
		if !a.try("a failure "+what, answer, wanted) {
			return false
		}
	}
	return true
}

// wrongKey is a trial of a credential that the vendor does not know.
func (r *rig) wrongKey(try func(tb testing.TB, r *rig) outcome) trial {
	return trial{"wrong key", func(tb testing.TB) {
		tb.Helper()
		wrong := r.under(func(up *provider.Upstream) {
			up.Secrets = map[string]provider.Secret{}
			for entry, value := range r.up.Secrets {
				if !slices.Contains(r.m.Identifiers, entry) {
					value = provider.NewSecret("wrong-" + value.Reveal())
				}
				up.Secrets[entry] = value
			}
		})
		got := try(tb, wrong)
		if r.lacks(WithoutWrongKey) {
			return
		}
		want := []provider.Class{provider.ClassUnauthorized}
		if class, ok := r.m.Failures[studio.Unauthorized]; ok {
			want = append(want, class)
		}
		wrong.classed(tb, "a wrong credential", got.err, got.status, want...)
	}}
}
