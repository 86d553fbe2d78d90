package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// pattern is a compiled pattern, or none.
type pattern struct{ re *regexp.Regexp }

// compile prepares a pattern; the empty one allows everything.
func (p *pattern) compile(expr string) error {
	if expr == "" {
		return nil
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return fmt.Errorf("compiling pattern: %w", err)
	}
	p.re = re
	return nil
}

// checker collects problems.
type checker struct{ problems []Problem }

// addf notes a problem.
func (c *checker) addf(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// check looks at one value.
func (c *checker) check(n *node, value any, path string) {
	if n.IntOrString && kindOf(value) != "integer" && kindOf(value) != "string" {
		c.addf(path, "must be a number or a text")
		return
	}
	if value == nil && n.Nullable {
		return
	}
	if got := kindOf(value); n.Type != "" && got != n.Type && !(n.Type == "number" && got == "integer") {
		c.addf(path, "must be %s, not %s", article(n.Type), article(got))
		return
	}
	if len(n.Enum) > 0 && !slices.Contains(n.Enum, value) {
		c.addf(path, "must be one of %s", enumText(n.Enum))
	}
	switch v := value.(type) {
	case string:
		c.checkString(n, v, path)
	case int64:
		c.checkNumber(n, float64(v), path)
	case float64:
		c.checkNumber(n, v, path)
	case []any:
		c.checkList(n, v, path)
	case map[string]any:
		c.checkMap(n, v, path)
	}
}

// checkString looks at length, pattern and format.
func (c *checker) checkString(n *node, v, path string) {
	c.checkSize(utf8.RuneCountInString(v), n.MinLength, n.MaxLength, "characters", path)
	if n.pattern.re != nil && !n.pattern.re.MatchString(v) {
		c.addf(path, "must match %s", n.Pattern)
	}
	if n.Format == "date-time" {
		if _, err := time.Parse(time.RFC3339, v); err != nil {
			c.addf(path, "must be a time such as 2027-01-01T00:00:00Z")
		}
	}
}

// checkNumber looks at bounds.
func (c *checker) checkNumber(n *node, v float64, path string) {
	low, high := n.Minimum, n.Maximum
	if n.Format == "int32" {
		low, high = tighter(low, math.MinInt32, math.Max), tighter(high, math.MaxInt32, math.Min)
	}
	if low != nil && v < *low {
		c.addf(path, "must be at least %s", strconv.FormatFloat(*low, 'f', -1, 64))
	}
	if high != nil && v > *high {
		c.addf(path, "must be at most %s", strconv.FormatFloat(*high, 'f', -1, 64))
	}
}

// tighter chooses between a bound and that of the format.
func tighter(bound *float64, format float64, choose func(a, b float64) float64) *float64 {
	if bound != nil {
		format = choose(*bound, format)
	}
	return &format
}

// checkList looks at length, items, and what identifies them.
func (c *checker) checkList(n *node, v []any, path string) {
	c.checkSize(len(v), n.MinItems, n.MaxItems, "entries", path)
	seen := map[string]bool{}
	for i, item := range v {
		at := fmt.Sprintf("%s[%d]", path, i)
		if n.Items != nil {
			c.check(n.Items, item, at)
		}
		if id, ok := n.identity(item); ok && seen[id] {
			c.addf(at, "appears twice in this list")
		} else {
			seen[id] = true
		}
	}
}

// identity is what may appear only once in a list.
func (n *node) identity(item any) (string, bool) {
	switch n.ListType {
	case "set":
	case "map":
		object, ok := item.(map[string]any)
		if !ok {
			return "", false
		}
		keys := make([]any, 0, len(n.ListMapKeys))
		for _, k := range n.ListMapKeys {
			keys = append(keys, object[k])
		}
		item = keys
	default:
		return "", false
	}
	id, err := json.Marshal(item)
	return string(id), err == nil
}

// checkMap looks at size, members, and what is missing or unknown.
func (c *checker) checkMap(n *node, v map[string]any, path string) {
	c.checkSize(len(v), n.MinProperties, n.MaxProperties, "members", path)
	for _, name := range n.Required {
		if _, set := v[name]; !set {
			c.addf(join(path, name), "is required")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		at := join(path, name)
		switch p := n.Properties[name]; {
		case path == "" && (name == "apiVersion" || name == "kind" || name == "metadata"):
		case p != nil:
			c.check(p, v[name], at)
		case n.AdditionalProperties != nil && n.AdditionalProperties.schema != nil:
			c.check(n.AdditionalProperties.schema, v[name], at)
		case !n.PreserveUnknown && (n.AdditionalProperties == nil || !n.AdditionalProperties.allowed):
			c.addf(at, "unknown field")
		}
	}
}

// checkSize compares a size with its bounds.
func (c *checker) checkSize(size int, low, high *int, what, path string) {
	if low != nil && size < *low {
		c.addf(path, "must have at least %d %s", *low, what)
	}
	if high != nil && size > *high {
		c.addf(path, "must have at most %d %s", *high, what)
	}
}

// kindOf is the schema's word for a value.
func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case int64:
		return "integer"
	case float64:
		return "number"
	case []any:
		return "array"
	default:
		return "object"
	}
}

// article makes a phrase of a type.
func article(kind string) string {
	switch kind {
	case "null":
		return "empty"
	case "integer":
		return "a whole number"
	case "string":
		return "a text"
	case "array":
		return "a list"
	case "object":
		return "an object"
	}
	return "a " + kind
}

// enumText lists allowed values.
func enumText(values []any) string {
	words := make([]string, 0, len(values))
	for _, v := range values {
		words = append(words, fmt.Sprint(v))
	}
	return strings.Join(words, ", ")
}

// join appends a member to a path.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
