package openaicompat

import (
	"bytes"

	"vipcloud.ai/vipcloud/gateway/jsonscan"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// translator turns the vendor's JSON objects into the public ones: a whole completion, or the chunks of a stream in order. It
// notes what has to change and leaves the rest as bytes.
type translator struct {
	quirks *quirks
	// whole says that the object is a completion, not a chunk.
	whole bool
	// nullUsage says that a usage of null may stay in a chunk, because the client asked for usage.
	nullUsage bool
	// model is the public model as JSON.
	model []byte

	// edits are the changes of the current object.
	edits edits
	// now is what the current object turned out to hold.
	now facts

	// id and created are the first ones of the stream as JSON; all chunks get the same.
	id, created []byte
	// usage and rawUsage are the last ones told; fromChoice says that they were told by a choice.
	usage      provider.Usage
	rawUsage   []byte
	fromChoice bool
	// roles and spoken are sets of choices: those that have told their role, and those that have said something.
	roles, spoken indexSet
	// calls are the tool calls of the stream.
	calls toolCalls
	// finished says that a finish reason was seen.
	finished bool
}

// facts are what an object holds.
type facts struct {
	id, otherID, object, created, model span
	choices, usage                      span
	code, message                       span
	// failed says that the object reports a failure.
	failed bool
	// answered says that there is at least one choice.
	answered bool
	// content says that a choice carries a part of the answer.
	content bool
	// text is how many bytes of text it has.
	text int
}

// translate reads one object and collects the edits that make it public.
func (t *translator) translate(data []byte) error {
	t.edits.reset()
	t.now = facts{}
	if len(data) == 0 || data[0] != '{' {
		return badResponse("not_json", "the answer is not a JSON object")
	}
	m := membersOf(data, 0)
	for m.nextValid() {
		t.member(&m)
	}
	if !m.closed || m.end+1 != len(data) {
		return badResponse("not_json", "the answer is not valid JSON")
	}
	if t.failed(data) {
		return t.quirks.inBand(data)
	}
	if err := t.readChoices(data); err != nil {
		return err
	}
	comma := t.fill(data, &m)
	if t.whole && t.fromChoice {
		insertMember(&t.edits, m.end, comma, "usage", t.rawUsage)
	}
	return nil
}

// member looks at a member of the object.
func (t *translator) member(m *members) {
	switch string(m.name()) {
	case "id":
		t.now.id = m.span()
		t.settle(&t.id, m, isText(m.raw()))
	case "created":
		t.now.created = m.span()
		t.settle(&t.created, m, !isNull(m.raw()) && m.raw()[0] != '0')
	case "model":
		t.now.model = m.span()
		t.edits.replaceBytes(m.value, m.end, t.model)
	case "object":
		t.now.object = m.span()
		if want := t.objectName(); string(m.raw()) != want {
			t.edits.replace(m.value, m.end, want)
		}
	case "choices":
		t.now.choices = m.span()
	case "usage":
		t.topUsage(m)
	default:
		t.rareMember(m)
	}
}

// rareMember looks at a member that ordinary chunks don't have.
func (t *translator) rareMember(m *members) {
	switch string(m.name()) {
	case "error":
		// Some SDKs take a mere null for a failure.
		if isBlank(m.raw()) {
			m.drop(&t.edits)
		} else {
			t.now.failed = true
		}
	case "base_resp":
		t.now.failed = t.now.failed || baseCode(m.raw()) != ""
		m.drop(&t.edits)
	case "service_tier":
		if !isServiceTier(m.raw()) {
			m.drop(&t.edits)
		}
	case "request_id":
		t.now.otherID = m.span()
	case "sid":
		t.now.otherID = m.span()
		t.dropFrame(m)
	case "code":
		t.now.code = m.span()
		t.now.failed = t.now.failed || (t.quirks.framed && string(m.raw()) != "0")
		t.dropFrame(m)
	case "message":
		t.now.message = m.span()
		t.dropFrame(m)
	}
}

// dropFrame drops a member of a vendor's frame around the completion.
func (t *translator) dropFrame(m *members) {
	if t.quirks.framed {
		m.drop(&t.edits)
	}
}

// settle makes a member the same in all chunks: the first good value is remembered and replaces later ones.
func (t *translator) settle(first *[]byte, m *members, good bool) {
	switch {
	case t.whole:
	case len(*first) == 0:
		if good {
			*first = append(*first, m.raw()...)
		}
	case !bytes.Equal(*first, m.raw()):
		t.edits.replaceBytes(m.value, m.end, *first)
	}
}

// failed says whether the object reports a failure rather than an answer.
func (t *translator) failed(data []byte) bool {
	switch {
	case t.now.failed:
		return true
	case t.now.choices.there() && !isNull(t.now.choices.of(data)):
		return false
	case t.now.usage.there():
		return false
	}
	if t.now.choices.there() {
		return true
	}
	return t.now.message.there() && t.now.code.there() && string(t.now.code.of(data)) != "0"
}

// objectName is OpenAI's name of the object, as JSON.
func (t *translator) objectName() string {
	if t.whole {
		return `"chat.completion"`
	}
	return `"chat.completion.chunk"`
}

// fill adds the members that OpenAI's shape has and the object lacks. Without a clock, a time that the vendor does not tell is
// 0, which every SDK decodes. It returns whether a comma is needed after the object's last member.
func (t *translator) fill(data []byte, m *members) (comma bool) {
	if t.now.id.there() && t.now.object.there() && t.now.created.there() && t.now.model.there() {
		return m.kept
	}
	if !t.now.id.there() && len(t.id) == 0 && t.now.otherID.there() {
		t.id = append(t.id, t.now.otherID.of(data)...)
	}
	comma = t.fillMember(m, m.kept, t.now.id.there(), "id", t.id, `""`)
	comma = t.fillMember(m, comma, t.now.object.there(), "object", nil, t.objectName())
	comma = t.fillMember(m, comma, t.now.created.there(), "created", t.created, "0")
	return t.fillMember(m, comma, t.now.model.there(), "model", t.model, "")
}

// fillMember adds a member that is not there: with the value that is known, or else with another. It returns whether a comma is
// needed after it.
func (t *translator) fillMember(m *members, comma, there bool, name string, known []byte, other string) bool {
	switch {
	case there:
		return comma
	case len(known) > 0:
		insertMember(&t.edits, m.end, comma, name, known)
	default:
		insertMember(&t.edits, m.end, comma, name, other)
	}
	return true
}

// orElse returns a remembered value, or another if there is none.
func orElse(value []byte, other string) []byte {
	if len(value) == 0 {
		return []byte(other)
	}
	return value
}

// isBlank says whether a value of error says that there is none.
func isBlank(value []byte) bool {
	switch string(value) {
	case "null", "false", "0", `""`, "{}", "[]":
		return true
	}
	return false
}

// isServiceTier says whether a value is one that OpenAI's SDKs decode.
func isServiceTier(value []byte) bool {
	switch string(value) {
	case "null", `"auto"`, `"default"`, `"flex"`, `"scale"`, `"priority"`:
		return true
	}
	return false
}

// trim removes blanks around a body or event: vendors keep connections alive by empty lines before the JSON.
func trim(data []byte) []byte {
	data = data[jsonscan.Space(data, 0):]
	for len(data) > 0 && jsonscan.IsSpace(data[len(data)-1]) {
		data = data[:len(data)-1]
	}
	return data
}
