package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/licenseclassifier/v2/assets"
)

// text reads a licence that the classifier knows.
func text(t *testing.T, name string) string {
	t.Helper()
	out, err := assets.ReadLicenseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestProblems(t *testing.T) {
	cases := map[string]struct {
		files map[string]string // of the module; the package that is linked is in a/b
		want  string            // of the one problem; empty for none
	}{
		"a licence that is allowed":     {files: map[string]string{"LICENSE": text(t, "License/MIT/pristine.txt")}},
		"one beside the package":        {files: map[string]string{"a/b/COPYING.md": text(t, "License/MIT/pristine.txt")}},
		"no licence":                    {files: map[string]string{"README": text(t, "License/MIT/pristine.txt")}, want: "has no licence"},
		"one of a package not linked":   {files: map[string]string{"LICENSE": text(t, "License/MIT/pristine.txt"), "c/LICENSE": text(t, "License/GPL-3.0/license.txt")}},
		"one that is not allowed":       {files: map[string]string{"LICENSE": text(t, "License/GPL-3.0/license.txt")}, want: "GPL-3.0, which is not on the list"},
		"one that is not, among others": {files: map[string]string{"LICENSE": text(t, "License/MIT/pristine.txt"), "a/LICENSE.txt": text(t, "License/GPL-3.0/license.txt")}, want: "a/LICENSE.txt is GPL-3.0"},
		"one that nobody knows":         {files: map[string]string{"LICENSE": text(t, "License/MIT/pristine.txt"), "a/LICENSE": "Do what I mean."}, want: "is no licence that is known"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			m := &module{Path: "example.com/m", Dir: dir, packages: map[string]string{"example.com/m/a/b": filepath.Join(dir, "a", "b")}}
			tc.files["a/b/b.go"] = "package b"
			for path, content := range tc.files {
				if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, path), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := readLicences([]*module{m}); err != nil {
				t.Fatal(err)
			}
			problems := m.problems()
			if tc.want == "" && len(problems) > 0 || tc.want != "" && (len(problems) != 1 || !strings.Contains(problems[0], tc.want)) {
				t.Errorf("problems %q, want one with %q", problems, tc.want)
			}
		})
	}
}
