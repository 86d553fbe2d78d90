package providertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// maxProblems is how many failures of one target are told.
const maxProblems = 5

// reading is what became of an answer that was read.
type reading struct {
	// err is the adapter's error, problem what is wrong with what it made of the answer.
	err, problem error
	// gone says that the vendor does not know the task.
	gone bool
}

// target is an adapter that reads one answer of a vendor's, any number of times.
type target struct {
	name   string
	answer *provider.Response
	read   func(*provider.Response) reading
	// framed says that a part of the answer is none, and worded that the vendor has a form, so that not everything is an answer.
	framed, worded bool
}

// targets are the answers of a conversation, each of which is read after the true ones before it. Sound says what is wrong with a
// result, and gone whether it is the vendor's word that there is no such task.
func targets[T any](
	r *rig, name string, answers []*provider.Response, begin func() (*provider.Step[T], error), sound func(T) error, gone func(T) bool,
) []target {
	all := make([]target, 0, len(answers))
	for k, answer := range answers {
		read := func(variant *provider.Response) reading {
			step, err := begin()
			for i := 0; i < k && err == nil; i++ {
				if step == nil {
					return reading{problem: errors.New("the conversation is shorter the second time")}
				}
				_, step, err = step.Read(copyAnswer(answers[i]))
			}
			if err != nil || step == nil {
				return reading{problem: fmt.Errorf("coming to step %d again: %w", k+1, err)}
			}
			value, next, err := step.Read(copyAnswer(variant))
			return judge(r, variant.Status, value, next, err, sound, gone)
		}
		document := json.Valid(answer.Body)
		all = append(all, target{name: fmt.Sprintf("%s, answer %d", name, k+1), answer: answer, read: read, framed: document, worded: document})
	}
	return all
}

// judge looks at what Read returned.
func judge[T any](r *rig, status int, value T, next *provider.Step[T], err error, sound func(T) error, gone func(T) bool) reading {
	switch {
	case err != nil && next != nil:
		return reading{err: err, problem: errors.New("there is a next step beside an error")}
	case err != nil:
		return reading{err: err, problem: r.fault(err, status)}
	case next != nil && (next.Request == nil || next.Read == nil):
		return reading{problem: errors.New("the next step lacks its request or its reader")}
	case next != nil:
		return reading{}
	}
	return reading{problem: sound(value), gone: gone(value)}
}

// never is for results that cannot say that a task is gone.
func never[T any](T) bool { return false }

// attack reads what a vendor would never send, or a broken network would make of it: nothing may panic, errors are lawful,
// results sound, and what is no answer is an error.
func (r *rig) attack(tb testing.TB, all ...target) {
	tb.Helper()
	if len(all) == 0 {
		tb.Errorf("there is no answer to try the adapter with")
	}
	for _, g := range all {
		if problem := attempt(g, g.answer).problem; problem != nil {
			tb.Errorf("%s, as the vendor sent it: %v", g.name, problem)
			continue
		}
		assault{tb: tb, target: g, left: maxProblems}.all()
	}
}

// attempt reads an answer; a panic is a problem.
func attempt(g target, answer *provider.Response) (got reading) {
	defer func() {
		if p := recover(); p != nil {
			got = reading{problem: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	return g.read(answer)
}

// assault is an attack on one target.
type assault struct {
	tb     testing.TB
	target target
	left   int
}

// all tries everything, until too much went wrong.
func (a assault) all() {
	a.tb.Helper()
	_ = a.statuses() && a.strangers() && a.prefixes() && a.mutants()
}

// try reads one variant; wantError is for what is no answer. It returns false if that is enough.
func (a *assault) try(what string, answer *provider.Response, wantError func(reading) error) bool {
	a.tb.Helper()
	got := attempt(a.target, answer)
	problem := got.problem
	if problem == nil && wantError != nil {
		problem = wantError(got)
	}
	if problem == nil {
		return true
	}
	a.left--
	a.tb.Errorf("%s, %s: %v\nstatus %d, body %.300q", a.target.name, what, problem, answer.Status, answer.Body)
	return a.left > 0
}

// statuses give a success with a status that is none.
func (a *assault) statuses() bool {
	a.tb.Helper()
	for _, status := range []int{302, 400, 401, 403, 404, 409, 429, 500, 503} {
		if status == a.target.answer.Status {
			continue
		}
		answer := copyAnswer(a.target.answer)
		answer.Status = status
		refused := func(got reading) error {
			if got.err == nil && (!got.gone || status != http.StatusNotFound) {
				return fmt.Errorf("status %d is taken for a success", status)
			}
			return nil
		}
		if !a.try(fmt.Sprintf("with status %d", status), answer, refused) {
			return false
		}
	}
	return true
}

// unreadable wants an error that says so.
func unreadable(got reading) error {
	if got.err == nil {
		return errors.New("it is taken for a success")
	}
	e, _ := errors.AsType[*provider.Error](got.err)
	if e == nil || !slices.Contains([]provider.Class{provider.ClassBadResponse, provider.ClassServerError}, e.Class) {
		return fmt.Errorf("the error is of another class than bad_response and server_error: %w", got.err)
	}
	return nil
}

// strangers give what is no answer of any vendor.
func (a *assault) strangers() bool {
	a.tb.Helper()
	if !a.target.worded {
		return true
	}
	for _, body := range []string{"", " \n", "null", "[]", `""`, "0", "true", "<html><body>login</body></html>", "data: \n\n", "\x00\xff"} {
		answer := copyAnswer(a.target.answer)
		answer.Body = []byte(body)
		if !a.try("with a stranger's body", answer, unreadable) {
			return false
		}
		answer.Header = nil
		if !a.try("with a stranger's body and no header", answer, unreadable) {
			return false
		}
	}
	return true
}

// prefixes give parts of the answer.
func (a *assault) prefixes() bool {
	a.tb.Helper()
	for body := range prefixes(a.target.answer.Body) {
		answer := copyAnswer(a.target.answer)
		answer.Body = body
		wanted := unreadable
		if !a.target.framed {
			wanted = nil
		}
		if !a.try(fmt.Sprintf("cut off after %d bytes", len(body)), answer, wanted) {
			return false
		}
	}
	return true
}

// mutants give answers with something else in one place.
func (a *assault) mutants() bool {
	a.tb.Helper()
	for what, body := range mutants(a.target.answer.Body) {
		answer := copyAnswer(a.target.answer)
		answer.Body = body
		if !a.try(what, answer, nil) {
			return false
		}
	}
	return true
}
