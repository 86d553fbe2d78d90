// Package providertest is the conformance suite of adapters. It knows the contract of package provider and OpenAI's shapes; it
// refuses to know any vendor. Adapters of chat pass the same checks over fixtures of their own, which show what the vendor sends
// and what the client gets, without a server: [Run]. Adapters of images, video, speech and music pass them against the simulator
// of their vendor: [RunImage], [RunVideo], [RunSpeech] and [RunMusic].
//
// A chat vendor's folder of fixtures holds
//
//	requests/*.txt  a client's body and the request that is sent, or why it is refused
//	answers/*.txt   a whole answer of the vendor's and what the client gets
//	streams/*.txt   the events of a stream and what the client gets, with and without usage
//	errors.txt      failures, each section named "<status> <class> <anything>"; status 200 is a failure inside a success
//
// Sections start with a line "-- name --". Those that the adapter produces are written by running the tests with -update.
package providertest

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// update rewrites the sections that adapters produce.
var update = flag.Bool("update", false, "rewrite the golden sections of fixtures")

// Names that the suite uses everywhere. The key must not turn up anywhere but in the header that carries it.
const (
	publicModel = "public-model"
	secretKey   = "sk-conformance-0123456789abcdef"
)

// Fixture says where a vendor's fixtures are and which of the usual scenarios it has none of.
type Fixture struct {
	// Dir is the folder of the vendor's fixtures.
	Dir string
	// Endpoint is the endpoint of requests that name none; "" means the vendor's first region.
	Endpoint string
	// Without names scenarios that the vendor does not have, such as "reasoning".
	Without []string
}

// scenarios are the fixtures that every vendor has, by folder.
func scenarios() map[string][]string {
	return map[string][]string{
		"requests": {"ordinary", "streamed"},
		"answers":  {"ordinary", "tool-call", "parallel-tool-calls", "reasoning", "no-usage"},
		"streams":  {"ordinary", "tool-call", "parallel-tool-calls", "reasoning", "no-usage"},
	}
}

// Run checks an adapter against the contract.
func Run(t *testing.T, adapter provider.Adapter, fx Fixture) {
	if fx.Endpoint == "" && len(adapter.Info.Regions) > 0 {
		fx.Endpoint = adapter.Info.Regions[0].Endpoint
	}
	s := &suite{chat: adapter.Chat, fx: fx}
	t.Run("has all scenarios", s.complete)
	t.Run("requests", s.requests)
	t.Run("parameters", s.parameters)
	t.Run("answers", s.answers)
	t.Run("streams", s.streams)
	t.Run("errors", s.errors)
}

// suite is one run.
type suite struct {
	chat provider.Chat
	fx   Fixture
}

// complete checks that the usual scenarios are there.
func (s *suite) complete(t *testing.T) {
	t.Parallel()
	for folder, names := range scenarios() {
		for _, name := range names {
			_, err := os.Stat(filepath.Join(s.fx.Dir, folder, name+".txt"))
			if missing := err != nil; missing != slices.Contains(s.fx.Without, name) {
				t.Errorf("%s/%s.txt: missing = %v, which differs from Without %q", folder, name, missing, s.fx.Without)
			}
		}
	}
}

// each runs a check for every fixture of a folder.
func (s *suite) each(t *testing.T, folder string, check func(*testing.T, *document)) {
	t.Parallel()
	paths, err := filepath.Glob(filepath.Join(s.fx.Dir, folder, "*.txt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("listing the fixtures of %s: %v, %d found", folder, err, len(paths))
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			d := readDocument(t, path)
			check(t, d)
			d.save(t)
		})
	}
}

// document is a fixture: sections in order.
type document struct {
	path     string
	names    []string
	sections map[string]string
	changed  bool
}

// readDocument reads a fixture. What stands before the first section is a comment.
func readDocument(t *testing.T, path string) *document {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("reading the fixture: %v", err)
	}
	d := &document{path: path, sections: map[string]string{}}
	name := ""
	for line := range strings.Lines(string(raw)) {
		title, isTitle := strings.CutPrefix(strings.TrimSpace(line), "-- ")
		title, closed := strings.CutSuffix(title, " --")
		if isTitle && closed {
			name = title
			d.names = append(d.names, name)
			continue
		}
		d.sections[name] += line
	}
	return d
}

// get returns a section without the line feed at its end; ok is false if there is none.
func (d *document) get(name string) (section string, ok bool) {
	section, ok = d.sections[name]
	return strings.TrimSuffix(section, "\n"), ok && slices.Contains(d.names, name)
}

// must returns a section that has to be there.
func (d *document) must(t *testing.T, name string) string {
	t.Helper()
	section, ok := d.get(name)
	if !ok {
		t.Fatalf("%s has no section %q", d.path, name)
	}
	return section
}

// golden compares what an adapter produced with a section, or makes it that section. "" means that there must be no section.
func (d *document) golden(t *testing.T, name, got string) {
	t.Helper()
	want, ok := d.get(name)
	if got == want && ok == (got != "") {
		return
	}
	if !*update {
		t.Errorf("%s, section %q (-want +got):\n%s", d.path, name, cmp.Diff(want, got))
		return
	}
	d.changed = true
	d.names = slices.DeleteFunc(d.names, func(n string) bool { return n == name && got == "" })
	if got != "" && !slices.Contains(d.names, name) {
		d.names = append(d.names, name)
	}
	d.sections[name] = got + "\n"
}

// save writes the fixture back if sections changed.
func (d *document) save(t *testing.T) {
	t.Helper()
	if !d.changed {
		return
	}
	var b strings.Builder
	b.WriteString(d.sections[""])
	for _, name := range d.names {
		b.WriteString("-- " + name + " --\n" + d.sections[name])
	}
	if err := os.WriteFile(d.path, []byte(b.String()), 0o644); err != nil {
		t.Fatalf("writing the fixture: %v", err)
	}
}

// lines splits a section into its lines that are not empty.
func lines(section string) []string {
	return slices.DeleteFunc(strings.Split(section, "\n"), func(l string) bool { return l == "" })
}
