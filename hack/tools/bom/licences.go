package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	classifier "github.com/google/licenseclassifier/v2"
	"github.com/google/licenseclassifier/v2/assets"
)

// certain is how alike a text must be to a licence.
const certain = 0.9

// allowed are the licences under which code may be linked into a binary that we distribute under Apache-2.0.
func allowed() []string {
	return []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "Unlicense", "Zlib"}
}

// passedOver are files that hold for nothing that we link, by module and name, and why.
func passedOver() map[string]string {
	return map[string]string{
		"std src/crypto/internal/boring/LICENSE": "is about an object file that only GOEXPERIMENT=boringcrypto links",
	}
}

// licenceFile is a file that says under what a part of a module may be used.
type licenceFile struct {
	name  string // within the module
	text  string
	names []string // SPDX identifiers; empty for what only goes along, such as NOTICE
}

// isLicence goes by the name of a file, as those who write them do.
var isLicence = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([.-].*)?$`)

// isNotice finds what Apache-2.0 asks to pass on.
var isNotice = regexp.MustCompile(`(?i)^(notice|patents)([.-].*)?$`)

// readLicences finds the files that hold for the packages that are linked: those beside them and above them in their modules.
func readLicences(modules []*module) error {
	c, err := assets.DefaultClassifier()
	if err != nil {
		return fmt.Errorf("loading licences: %w", err)
	}
	for _, m := range modules {
		if m.Path == stdlib && m.Dir == "" {
			if m.Dir, err = goroot(); err != nil {
				return err
			}
		}
		for _, dir := range foldersUpwards(m) {
			if err := m.readFolder(c, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// goroot asks the toolchain where the standard library is.
func goroot() (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("finding the standard library: %w", err)
	}
	return string(bytes.TrimSpace(out)), nil
}

// foldersUpwards are the folders of a module's packages and all above them, down from the module's own.
func foldersUpwards(m *module) []string {
	dirs := map[string]bool{m.Dir: true}
	for _, dir := range m.packages {
		for strings.HasPrefix(dir, m.Dir+string(filepath.Separator)) && !dirs[dir] {
			dirs[dir] = true
			dir = filepath.Dir(dir)
		}
	}
	return slices.Sorted(maps.Keys(dirs))
}

// readFolder reads the licences of one folder.
func (m *module) readFolder(c *classifier.Classifier, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading module %s: %w", m.Path, err)
	}
	for _, entry := range entries {
		notice := isNotice.MatchString(entry.Name())
		if !entry.Type().IsRegular() || strings.HasSuffix(entry.Name(), ".go") || !notice && !isLicence.MatchString(entry.Name()) {
			continue
		}
		name, err := filepath.Rel(m.Dir, filepath.Join(dir, entry.Name()))
		if err != nil {
			return fmt.Errorf("reading module %s: %w", m.Path, err)
		}
		if passedOver()[m.Path+" "+filepath.ToSlash(name)] != "" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return fmt.Errorf("reading module %s: %w", m.Path, err)
		}
		f := licenceFile{name: filepath.ToSlash(name), text: string(text)}
		if !notice {
			f.names = identify(c, text)
		}
		m.files = append(m.files, f)
	}
	return nil
}

// identify names the licences that a text has.
func identify(c *classifier.Classifier, text []byte) []string {
	found := map[string]bool{}
	for _, match := range c.Match(text).Matches {
		if match.MatchType == "License" && match.Confidence >= certain {
			found[match.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// licences are all identifiers of a module, sorted.
func (m *module) licences() []string {
	found := map[string]bool{}
	for _, f := range m.files {
		for _, name := range f.names {
			found[name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// checkLicences lists the modules and fails if one may not be linked.
func checkLicences(out io.Writer, modules []*module) error {
	var problems []string
	for _, m := range modules {
		if _, err := fmt.Fprintf(out, "%-60s %-45s %s\n", m.Path, m.Version, strings.Join(m.licences(), ", ")); err != nil {
			return err
		}
		problems = append(problems, m.problems()...)
	}
	if len(problems) > 0 {
		return fmt.Errorf("licences:\n%s", strings.Join(problems, "\n"))
	}
	return nil
}

// problems says why a module may not be linked.
func (m *module) problems() []string {
	var problems []string
	if len(m.licences()) == 0 {
		problems = append(problems, m.Path+" has no licence that is known; ask its authors, or do without it")
	}
	for _, f := range m.files {
		switch {
		case len(f.names) == 0 && isLicence.MatchString(filepath.Base(f.name)):
			problems = append(problems, fmt.Sprintf("%s: %s is no licence that is known; read it", m.Path, f.name))
		default:
			for _, name := range f.names {
				if !slices.Contains(allowed(), name) {
					problems = append(problems, fmt.Sprintf("%s: %s is %s, which is not on the list of those that are allowed", m.Path, f.name, name))
				}
			}
		}
	}
	return problems
}
