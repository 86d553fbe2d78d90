package providertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
)

// Bounds of what is tried with one answer.
const (
	maxVariants  = 2000
	minVariants  = 100
	variantBytes = 4 << 20
)

// allowance is how many variants of a body are tried: fewer of long ones.
func allowance(body []byte) int {
	return min(maxVariants, max(minVariants, variantBytes/max(1, len(body))))
}

// prefixes are parts of a body that are not all of it but white space: each one of a short body; of a long one those that end
// where something in it ends, the shortest, the longest, and some between.
func prefixes(body []byte) iter.Seq[[]byte] {
	whole := len(bytes.TrimRight(body, " \r\n\t"))
	budget := allowance(body)
	stride := max(1, whole/budget)
	return func(yield func([]byte) bool) {
		ends := 0
		for n := range whole {
			end := ends < budget && (bytes.HasSuffix(body[:n], []byte("}")) || bytes.HasSuffix(body[:n], []byte("\n")))
			if end {
				ends++
			}
			if (end || n%stride == 0 || min(n, whole-n) < budget/4) && !yield(bytes.Clone(body[:n])) {
				return
			}
		}
	}
}

// mutants are variants of a body, by what was done to it: each value of the JSON in it replaced by others or taken away, and bytes
// changed at random, always the same way for the same body.
func mutants(body []byte) iter.Seq2[string, []byte] {
	budget := allowance(body)
	return func(yield func(string, []byte) bool) {
		for _, d := range outer(documents(body)) {
			for what, text := range edits(d.value, budget) {
				if !yield(what, splice(body, d.start, d.end, text)) {
					return
				}
			}
			if !yield("with a part twice", splice(body, d.end, d.end, body[d.start:d.end])) {
				return
			}
			if !yield("without a part", splice(body, d.start, d.end, nil)) {
				return
			}
		}
		random := rand.New(rand.NewPCG(1, uint64(len(body))))
		for range budget / 4 {
			if !yield("with bytes changed", noise(random, body)) {
				return
			}
		}
	}
}

// jsonPart is a JSON object within a body.
type jsonPart struct {
	start, end int
	value      any
}

// documents finds the JSON objects of a body: the whole of it, or the parts of a stream.
func documents(body []byte) []jsonPart {
	var found []jsonPart
	for i := 0; i < len(body); i++ {
		if body[i] != '{' {
			continue
		}
		var value any
		d := json.NewDecoder(bytes.NewReader(body[i:]))
		d.UseNumber()
		if d.Decode(&value) != nil {
			continue
		}
		end := i + int(d.InputOffset())
		found = append(found, jsonPart{start: i, end: end, value: value})
		i = end - 1
	}
	return found
}

// outer keeps the first and the last few.
func outer(all []jsonPart) []jsonPart {
	const few = 2
	if len(all) <= 2*few {
		return all
	}
	return slices.Concat(all[:few], all[len(all)-few:])
}

// replacements are what may stand where something else should.
func replacements() []any {
	return []any{
		nil, true, json.Number("0"), json.Number("-1"), json.Number("-7"), json.Number("1000"), json.Number("1e308"),
		json.Number("9223372036854775808"), "", "x", "-1", []any{}, []any{nil},
		map[string]any{}, map[string]any{"x": nil}, []any{map[string]any{"x": []any{}}},
	}
}

// edits are variants of a document, with one value replaced or removed. Of many, a part is taken evenly.
func edits(value any, budget int) iter.Seq2[string, []byte] {
	count := 0
	walk(&value, "$", func(string) bool { count++; return true })
	stride, i := max(1, count/budget), 0
	return func(yield func(string, []byte) bool) {
		walk(&value, "$", func(what string) bool {
			if i++; i%stride != 0 {
				return true
			}
			text, err := json.Marshal(value)
			return err != nil || yield(what, text)
		})
	}
}

// walk edits every value in a document in turn and puts it back; visit says whether to go on.
func walk(at *any, path string, visit func(what string) bool) bool {
	original := *at
	for _, with := range replacements() {
		*at = with
		if !visit(fmt.Sprintf("with %s replaced by %.40v", path, with)) {
			*at = original
			return false
		}
	}
	*at = original
	switch v := original.(type) {
	case map[string]any:
		return walkObject(v, path, visit)
	case []any:
		for i := range v {
			if !walk(&v[i], fmt.Sprintf("%s[%d]", path, i), visit) {
				return false
			}
		}
	}
	return true
}

// walkObject edits the members of an object, and removes each.
func walkObject(v map[string]any, path string, visit func(what string) bool) bool {
	for _, name := range sorted(v) {
		inner, member := v[name], path+"."+name
		delete(v, name)
		goOn := visit("without " + member)
		v[name] = inner
		if !goOn {
			return false
		}
		goOn = walk(&inner, member, func(what string) bool {
			v[name] = inner
			return visit(what)
		})
		v[name] = inner
		if !goOn {
			return false
		}
	}
	return true
}

// splice replaces a part of a body.
func splice(body []byte, start, end int, with []byte) []byte {
	return slices.Concat(body[:start], with, body[end:])
}

// noise changes a few bytes: other ones, more, or fewer.
func noise(random *rand.Rand, body []byte) []byte {
	out := bytes.Clone(body)
	for range 1 + random.IntN(3) {
		if len(out) == 0 {
			return out
		}
		at := random.IntN(len(out))
		end := min(len(out), at+1+random.IntN(16))
		switch random.IntN(4) {
		case 0:
			out[at] = byte(random.IntN(256))
		case 1:
			out = splice(out, at, end, nil)
		case 2:
			out = splice(out, at, at, out[at:end])
		default:
			out = splice(out, at, at, []byte(`{"[]},:0null`)[:1+random.IntN(11)])
		}
	}
	return out
}
