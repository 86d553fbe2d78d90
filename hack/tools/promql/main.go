// Command promql reads a JSON list of PromQL expressions from standard input and writes a JSON list of what they ask for: metrics with the
// labels that are matched, and the labels that are grouped by. Tests compare that with the metrics that exist.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/prometheus/prometheus/promql/parser"
)

// metric is a selector.
type metric struct {
	Name   string   `json:"name"`
	Labels []string `json:"labels"`
}

// answer is what an expression asks for, or why it is none.
type answer struct {
	Error   string   `json:"error,omitempty"`
	Metrics []metric `json:"metrics"`
	Groups  []string `json:"groups"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "promql:", err)
		os.Exit(1)
	}
}

// run answers all expressions.
func run(in io.Reader, out io.Writer) error {
	var expressions []string
	if err := json.NewDecoder(in).Decode(&expressions); err != nil {
		return fmt.Errorf("reading expressions: %w", err)
	}
	answers := make([]answer, 0, len(expressions))
	for _, text := range expressions {
		answers = append(answers, ask(text))
	}
	return json.NewEncoder(out).Encode(answers)
}

// ask parses one expression.
func ask(text string) answer {
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		return answer{Error: err.Error()}
	}
	var a answer
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			m := metric{Name: n.Name, Labels: []string{}}
			for _, matcher := range n.LabelMatchers {
				if matcher.Name != "__name__" {
					m.Labels = append(m.Labels, matcher.Name)
				}
			}
			a.Metrics = append(a.Metrics, m)
		case *parser.AggregateExpr:
			a.Groups = append(a.Groups, n.Grouping...)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				a.Groups = append(a.Groups, n.VectorMatching.MatchingLabels...)
				a.Groups = append(a.Groups, n.VectorMatching.Include...)
			}
		}
		return nil
	})
	return a
}
