package lint

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ruleFiles are the manifests by which test/crd proves the schema on a real API server.
func ruleFiles(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "..", "test", "crd", "*", "*", pattern+"*.yaml"))
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d manifests in test/crd: %v", len(paths), err)
	}
	return paths
}

// lintText checks one file's text under its name.
func lintText(t *testing.T, name string, text []byte) Findings {
	t.Helper()
	all, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{providers: testProviders(), schemas: all, now: time.Now()}
	r.parse(name, text)
	for _, d := range r.docs {
		r.checkDocument(t.Context(), d)
	}
	r.compile()
	return r.findings.sorted()
}

// complaint is what a file wants the API server to say: the field, and what it says of it.
var complaint = regexp.MustCompile(`(?m)^# want: ([^:]*): (.*)$`)

// TestLint_refusesWhatTheAPIServerRefuses gives lint every manifest that a real API server refuses, and wants it refused for the
// same fields, each with the line it stands in.
func TestLint_refusesWhatTheAPIServerRefuses(t *testing.T) {
	for _, path := range ruleFiles(t, "bad") {
		t.Run(path, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			findings := lintText(t, path, text)
			if update := bytes.Contains(text, []byte("\n---\n")); update {
				// What may not be changed shows only beside the object as it was: two versions of it are one too many.
				if !slices.ContainsFunc(findings, func(f Finding) bool { return strings.Contains(f.Message, "declared twice") }) {
					t.Errorf("an update is not refused: %v", findings)
				}
				return
			}
			wants := complaint.FindAllStringSubmatch(string(text), -1)
			if len(wants) == 0 {
				t.Fatal("the file does not begin with `# want: field: message`")
			}
			for _, want := range wants {
				checkRefused(t, findings, want[1], strings.Split(string(text), "\n"))
			}
		})
	}
}

// checkRefused wants an error of a field in the line where its name stands, or where the object that misses it begins.
func checkRefused(t *testing.T, findings Findings, field string, lines []string) {
	t.Helper()
	i := slices.IndexFunc(findings, func(f Finding) bool { return f.Severity == Error && f.Field == strings.TrimPrefix(field, "<nil>") })
	if i < 0 {
		t.Errorf("nothing is said about %s:\n%v", field, findings)
		return
	}
	f := findings[i]
	if f.Line < 1 || f.Line > len(lines) {
		t.Errorf("%s: line %d of %d", field, f.Line, len(lines))
		return
	}
	if f.Field == "" || strings.Contains(f.Message, "equired") {
		return
	}
	name := regexp.MustCompile(`\[[^\]]*\]$`).ReplaceAllString(f.Field, "")
	name = name[strings.LastIndex(name, ".")+1:]
	if strings.HasSuffix(f.Field, "]") { // an item, or a member of a map
		return
	}
	if !strings.Contains(lines[f.Line-1], name) {
		t.Errorf("%s: line %d is %q", f.Field, f.Line, lines[f.Line-1])
	}
}

// TestLint_linesOfLaterDocuments moves every such manifest down, behind documents of all sorts: findings move with it.
func TestLint_linesOfLaterDocuments(t *testing.T) {
	const before = "# what helm template prints\n---\n# Source: vipcloud/templates/x.yaml\napiVersion: apps/v1\nkind: Deployment\n" +
		"metadata:\n  name: x\n---\n\n---\n# only a comment\n--- # and one behind the dashes\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n" +
		"  metadata:\n    name: far-away\n...\n---\n"
	shift := strings.Count(before, "\n")
	for _, path := range ruleFiles(t, "bad") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		alone := lintText(t, path, text)
		for i := range alone {
			alone[i].Line += shift
			alone[i].Message = mentionedLine.ReplaceAllString(alone[i].Message, "LINE")
		}
		behind := lintText(t, path, append([]byte(before), text...))
		for i := range behind {
			behind[i].Message = mentionedLine.ReplaceAllString(behind[i].Message, "LINE")
		}
		if diff := cmp.Diff(alone, behind); diff != "" {
			t.Errorf("%s: findings of a later document (-want +got):\n%s", path, diff)
		}
	}
}

var mentionedLine = regexp.MustCompile(`\.yaml:[0-9]+`)

// TestLint_acceptsWhatTheAPIServerAccepts is the other half: no rule of ours is stricter than the schema. What only shows when
// objects are seen together may well be wrong with these.
func TestLint_acceptsWhatTheAPIServerAccepts(t *testing.T) {
	for _, path := range ruleFiles(t, "ok") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("\n---\n")) {
			continue
		}
		for _, f := range lintText(t, path, text) {
			if f.Severity == Error && f.Reason == "" {
				t.Errorf("refused: %s", f)
			}
		}
	}
}
