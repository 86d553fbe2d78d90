package table

import "strings"

// Globs are patterns on public names, in which * stands for any run of characters, slashes included, and everything else for
// itself. The zero value matches nothing. It is immutable and safe for concurrent use.
type Globs struct{ globs []glob }

// glob is a pattern cut at its stars.
type glob struct {
	// literal says that there is no star: prefix is the whole pattern.
	literal        bool
	prefix, suffix string
	// middle are the parts between two stars, none of them empty.
	middle []string
}

// CompileGlobs prepares patterns. Every text is a pattern; the empty one matches only the empty name.
func CompileGlobs[S ~string](patterns []S) Globs {
	if len(patterns) == 0 {
		return Globs{}
	}
	globs := make([]glob, len(patterns))
	for i, pattern := range patterns {
		globs[i] = compileGlob(string(pattern))
	}
	return Globs{globs: globs}
}

// compileGlob cuts one pattern.
func compileGlob(pattern string) glob {
	prefix, rest, star := strings.Cut(pattern, "*")
	if !star {
		return glob{literal: true, prefix: pattern}
	}
	parts := strings.Split(rest, "*")
	g := glob{prefix: prefix, suffix: parts[len(parts)-1]}
	for _, part := range parts[:len(parts)-1] {
		if part != "" {
			g.middle = append(g.middle, part)
		}
	}
	return g
}

// Empty says that there are no patterns.
func (g Globs) Empty() bool { return len(g.globs) == 0 }

// Match says whether any pattern matches a name. It does not allocate.
func (g Globs) Match(name string) bool {
	for i := range g.globs {
		if g.globs[i].match(name) {
			return true
		}
	}
	return false
}

// match looks for each part at its first place, which is always as good as a later one.
func (g *glob) match(name string) bool {
	if g.literal {
		return name == g.prefix
	}
	if len(name) < len(g.prefix)+len(g.suffix) || !strings.HasPrefix(name, g.prefix) || !strings.HasSuffix(name, g.suffix) {
		return false
	}
	name = name[len(g.prefix) : len(name)-len(g.suffix)]
	for _, part := range g.middle {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return true
}
