package lint

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"vipcloud.ai/vipcloud/gateway/source/manifests"
)

// Severity is how bad a finding is.
type Severity string

const (
	// Error is what an API server refuses, or what keeps an object from being served.
	Error Severity = "error"
	// Warning is what may be wrong, such as a Secret that is not among the manifests.
	Warning Severity = "warning"
	// Info is worth knowing and may well be meant, such as a route without a price.
	Info Severity = "info"
)

// Finding is something to be said of a manifest.
type Finding struct {
	// File and Line are where; Line is 0 if the file as a whole is meant.
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	// Object is Kind namespace/name; empty if that is not known.
	Object string `json:"object,omitempty"`
	// Field is the field that is meant; empty for the object as a whole.
	Field string `json:"field,omitempty"`
	// Severity is error, warning or info.
	Severity Severity `json:"severity"`
	// Reason is that of the condition which the operator would set; empty for what an API server refuses.
	Reason string `json:"reason,omitempty"`
	// Message says what is wrong and what to do. It holds no secret.
	Message string `json:"message"`
}

// String returns file:line: severity: object: field: message, without what is empty.
func (f Finding) String() string {
	at := f.File
	if f.Line > 0 {
		at += ":" + strconv.Itoa(f.Line)
	}
	parts := []string{at}
	if f.Severity != Error {
		parts = append(parts, string(f.Severity))
	}
	for _, part := range []string{f.Object, f.Field, f.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Findings are what there is to say.
type Findings []Finding

// Errors counts the errors.
func (f Findings) Errors() int { return f.count(Error) }

// count counts the findings of a severity.
func (f Findings) count(severity Severity) int {
	n := 0
	for _, finding := range f {
		if finding.Severity == severity {
			n++
		}
	}
	return n
}

// addProblem adds an error of a document.
func (f *Findings) addProblem(p manifests.Problem) {
	*f = append(*f, Finding{File: p.File, Line: p.Line, Object: p.Object, Field: p.Field, Severity: Error, Message: p.Message})
}

// sorted orders findings by place and leaves out repetitions.
func (f Findings) sorted() Findings {
	slices.SortStableFunc(f, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Object, b.Object),
			cmp.Compare(a.Field, b.Field), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(f)
}

// writerFor returns what prints findings in a format.
func writerFor(format string) (func(w io.Writer, f Findings) error, error) {
	switch format {
	case "text":
		return writeText, nil
	case "json":
		return writeJSON, nil
	}
	return nil, fmt.Errorf("--output %q: use text or json", format)
}

// writeText prints a line for each finding.
func writeText(w io.Writer, f Findings) error {
	for _, finding := range f {
		if _, err := fmt.Fprintln(w, finding); err != nil {
			return err
		}
	}
	return nil
}

// writeJSON prints one list.
func writeJSON(w io.Writer, f Findings) error {
	if f == nil {
		f = Findings{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(f)
}
