package manifests

import (
	"bytes"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	kyaml "sigs.k8s.io/yaml"
)

// Document is one object as it stands in a file.
type Document struct {
	// File and Line are where it begins; lines count from 1.
	File string
	Line int
	// Value is the object as JSON would have it, whole numbers as int64. It may be changed, such as by filling in defaults.
	Value map[string]any

	node   *yaml.Node
	offset int // lines of the file before the node's text
	last   int // the last line of the node's text; YAML knows more line ends than we count
}

// Problem is something that is wrong with a file or an object.
type Problem struct {
	// File and Line are where; Line is 0 if the file as a whole is meant.
	File string
	Line int
	// Object is Kind namespace/name; empty if that is not known.
	Object string
	// Field is the field that is meant; empty for the object as a whole.
	Field string
	// Message says what is wrong and holds no secret.
	Message string
}

// String returns file:line: object: field: message, without what is empty.
func (p Problem) String() string {
	at := p.File
	if p.Line > 0 {
		at += ":" + strconv.Itoa(p.Line)
	}
	var parts []string
	for _, part := range []string{at, p.Object, p.Field, p.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// GroupVersionKind is what the document claims to be.
func (d *Document) GroupVersionKind() schema.GroupVersionKind {
	gv, err := schema.ParseGroupVersion(d.text("apiVersion"))
	if err != nil {
		return schema.GroupVersionKind{Kind: d.text("kind")}
	}
	return gv.WithKind(d.text("kind"))
}

// Name and Namespace are those of the metadata. An object without a namespace is in namespace default, but for those that
// are in none.
func (d *Document) Name() string { return d.text("metadata", "name") }

// Namespace is that of the metadata, or default.
func (d *Document) Namespace() string {
	if d.GroupVersionKind() == coreKind("Namespace") {
		return ""
	}
	if ns := d.text("metadata", "namespace"); ns != "" {
		return ns
	}
	return DefaultNamespace
}

// Ref names the document in messages, as far as it can.
func (d *Document) Ref() string {
	ref := d.text("kind")
	if ref == "" || d.Name() == "" {
		return ref
	}
	if ns := d.Namespace(); ns != "" {
		return ref + " " + ns + "/" + d.Name()
	}
	return ref + " " + d.Name()
}

// Problem describes something wrong with a field.
func (d *Document) Problem(field, message string) Problem {
	return Problem{File: d.File, Line: d.LineOf(field), Object: d.Ref(), Field: field, Message: message}
}

// text returns a member that is a text, or "".
func (d *Document) text(path ...string) string {
	var value any = d.Value
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	s, _ := value.(string)
	return s
}

// Parse reads the documents of a file, of which name is used in messages only. What cannot be read becomes problems, and the
// documents around it are returned all the same. JSON is read as the YAML it is.
func Parse(name string, data []byte) ([]*Document, []Problem) {
	var docs []*Document
	var problems []Problem
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	offset := 0
	for _, chunk := range split(data) {
		found, problem := parseChunk(name, chunk, offset)
		docs = append(docs, found...)
		if problem != nil {
			problems = append(problems, *problem)
		}
		offset += bytes.Count(chunk, []byte("\n"))
	}
	return docs, problems
}

// split cuts a file where documents begin. All chunks together are the file.
func split(data []byte) [][]byte {
	var chunks [][]byte
	begin, at := 0, 0
	for line := range bytes.Lines(data) {
		if at > begin && separates(line) {
			chunks = append(chunks, data[begin:at])
			begin = at
		}
		at += len(line)
	}
	return append(chunks, data[begin:])
}

// separates says that a line begins a new document, or ends one.
func separates(line []byte) bool {
	line = bytes.TrimRight(line, "\r\n")
	return bytes.Equal(line, []byte("...")) || bytes.Equal(line, []byte("---")) ||
		bytes.HasPrefix(line, []byte("--- ")) || bytes.HasPrefix(line, []byte("---\t"))
}

// parseChunk reads one document, or the items of a List.
func parseChunk(name string, chunk []byte, offset int) (docs []*Document, problem *Problem) {
	defer func() {
		if p := recover(); p != nil { // a parser of foreign bytes is not trusted with the whole gateway
			docs, problem = nil, &Problem{File: name, Line: offset + 1, Message: "cannot be read as YAML"}
		}
	}()
	chunk = bytes.TrimPrefix(chunk, []byte("..."))
	if blank(chunk) {
		return nil, nil
	}
	last := offset + bytes.Count(chunk, []byte("\n")) + 1
	var root yaml.Node
	if err := yaml.Unmarshal(chunk, &root); err != nil {
		return nil, parseProblem(name, offset, last, err)
	}
	raw, err := kyaml.YAMLToJSONStrict(chunk)
	if err != nil {
		return nil, parseProblem(name, offset, last, err)
	}
	var value any
	if err := utiljson.Unmarshal(raw, &value); err != nil {
		return nil, parseProblem(name, offset, last, err)
	}
	object, ok := value.(map[string]any)
	if !ok || len(root.Content) == 0 {
		if value == nil {
			return nil, nil
		}
		return nil, &Problem{File: name, Line: offset + 1, Message: "is no object: it needs apiVersion, kind and metadata"}
	}
	d := &Document{File: name, Value: object, node: root.Content[0], offset: offset, last: last}
	d.Line = d.LineOf("")
	return expand(d), nil
}

// blank says that a chunk has nothing but comments and separators.
func blank(chunk []byte) bool {
	for line := range bytes.Lines(chunk) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && !bytes.Equal(line, []byte("---")) {
			return false
		}
	}
	return true
}

// expand returns the items of a List, or the document itself.
func expand(d *Document) []*Document {
	items, ok := d.Value["items"].([]any)
	if !ok || d.GroupVersionKind() != coreKind("List") {
		return []*Document{d}
	}
	nodes := child(d.node, "items")
	var docs []*Document
	for i, item := range items {
		object, ok := item.(map[string]any)
		if !ok || nodes == nil || i >= len(resolve(nodes).Content) {
			continue
		}
		entry := &Document{File: d.File, Value: object, node: resolve(nodes).Content[i], offset: d.offset, last: d.last}
		entry.Line = entry.LineOf("")
		docs = append(docs, entry)
	}
	return docs
}

// parseProblem turns what a parser says, which is "line 3: reason" after some words, into a problem with the line of the file.
func parseProblem(name string, offset, last int, err error) *Problem {
	p := &Problem{File: name, Line: offset + 1}
	reason := err.Error()
	for _, words := range []string{"error converting YAML to JSON: ", "yaml: ", "unmarshal errors:\n  "} {
		reason = strings.TrimPrefix(reason, words)
	}
	if rest, ok := strings.CutPrefix(reason, "line "); ok {
		number, after, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			p.Line, reason = min(offset+n, last), after
		}
	}
	p.Message = "cannot be read as YAML: " + strings.TrimSpace(reason)
	return p
}

// LineOf returns the line of a field such as spec.targets[0].name, or of what is nearest to it: a missing field is missed
// where it should stand.
func (d *Document) LineOf(field string) int {
	if d.node == nil {
		return d.Line
	}
	return min(lineOf(d.node, field, d.node.Line)+d.offset, d.last)
}

// lineOf descends as far as the path goes. Names may hold dots, so the longest one that fits is taken.
func lineOf(n *yaml.Node, path string, line int) int {
	n = resolve(n)
	if path == "" || n == nil {
		return line
	}
	switch n.Kind {
	case yaml.SequenceNode:
		index, rest, ok := strings.Cut(strings.TrimPrefix(path, "["), "]")
		i, err := strconv.Atoi(index)
		if !ok || err != nil || i < 0 || i >= len(n.Content) {
			return line
		}
		return lineOf(n.Content[i], strings.TrimPrefix(rest, "."), n.Content[i].Line)
	case yaml.MappingNode:
		best, rest := -1, ""
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if after, ok := cutName(path, key); ok && (best < 0 || len(key) > len(n.Content[best].Value)) {
				best, rest = i, after
			}
		}
		if best >= 0 {
			return lineOf(n.Content[best+1], rest, n.Content[best].Line)
		}
	}
	return line
}

// cutName takes a member's name off the front of a path, written as name or [name].
func cutName(path, name string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(path, "["+name+"]"); ok {
		return strings.TrimPrefix(rest, "."), true
	}
	rest, ok = strings.CutPrefix(path, name)
	if !ok || (rest != "" && rest[0] != '.' && rest[0] != '[') {
		return "", false
	}
	return strings.TrimPrefix(rest, "."), true
}

// child returns the value of a member, or nil.
func child(n *yaml.Node, name string) *yaml.Node {
	n = resolve(n)
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// resolve follows an alias.
func resolve(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
