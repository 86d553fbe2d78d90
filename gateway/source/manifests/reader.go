package manifests

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/source/manifests/schema"
)

// reader keeps the last good state of every file of a directory. It is used by one goroutine.
type reader struct {
	dir     string
	schemas *schema.Set
	logger  *slog.Logger
	files   map[string]*fileState
}

// fileState is what is known of a file.
type fileState struct {
	sum      [sha256.Size]byte
	objects  []*Object
	problems []Problem
}

// read looks at all files and says whether any is not as it was. An error means that the directory cannot be listed;
// everything is then as it was.
func (r *reader) read() (changed bool, dirs []string, err error) {
	files, dirs, err := ListFiles(r.dir)
	if err != nil {
		return false, nil, err
	}
	for path := range r.files {
		if !slices.Contains(files, path) {
			delete(r.files, path)
			changed = true
		}
	}
	for _, path := range files {
		if IsKustomization(path) {
			if r.files[path] == nil {
				r.logger.Info("Ignoring file of kustomize", "file", path)
				r.files[path] = &fileState{}
			}
			continue
		}
		changed = r.readFile(path) || changed
	}
	return changed, dirs, nil
}

// readFile looks at one file and says whether it is not as it was.
func (r *reader) readFile(path string) bool {
	old := r.files[path]
	if old == nil {
		old = &fileState{}
	}
	data, err := readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		delete(r.files, path)
		return len(old.objects) > 0
	case err != nil:
		now := &fileState{objects: old.objects, problems: []Problem{{File: path, Message: fmt.Sprintf("cannot be read: %v", cause(err))}}}
		r.files[path] = now
		r.log(old.problems, now.problems)
		return !slices.Equal(old.problems, now.problems)
	}
	sum := sha256.Sum256(data)
	if r.files[path] != nil && old.sum == sum {
		return false
	}
	now := r.parse(path, data)
	now.sum = sum
	if len(now.problems) > 0 {
		now.objects = keepGood(now.objects, old.objects)
	}
	r.files[path] = now
	r.log(nil, now.problems)
	return true
}

// cause drops the path from an error, which stands in front of it already.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// keepGood adds to the good objects of a broken file those that it had before: the broken part may well be one of them.
func keepGood(now, before []*Object) []*Object {
	for _, o := range before {
		if !slices.ContainsFunc(now, func(n *Object) bool { return n.ID() == o.ID() }) {
			now = append(now, o)
		}
	}
	return now
}

// parse makes objects of a file.
func (r *reader) parse(path string, data []byte) *fileState {
	docs, problems := Parse(path, data)
	state := &fileState{problems: problems}
	for _, d := range docs {
		gvk := d.GroupVersionKind()
		switch {
		case d.Value["apiVersion"] == nil || d.Value["kind"] == nil:
			state.problems = append(state.problems, d.Problem("", "is no object: it needs apiVersion and kind"))
		case gvk.Group == v1alpha1.GroupVersion.Group && gvk.Version != v1alpha1.GroupVersion.Version:
			state.problems = append(state.problems, d.Problem("apiVersion", "is unknown; use "+v1alpha1.GroupVersion.String()))
		case !Read(gvk):
			r.logger.Info("Ignoring object of a kind that is not served", "file", d.File, "line", d.Line, "kind", gvk.Kind)
		default:
			o, found := Check(d, r.schemas)
			state.problems = append(state.problems, found...)
			if o != nil {
				state.objects = append(state.objects, o)
			}
		}
	}
	return state
}

// Check fills in the defaults of a document, in place, and makes an object of it; nil if there are problems.
func Check(d *Document, schemas *schema.Set) (*Object, []Problem) {
	problems := d.CheckMetadata()
	delete(d.Value, "status") // whatever cluster it comes from, it is not this one
	for _, p := range schemas.Check(d.GroupVersionKind(), d.Value) {
		problems = append(problems, d.Problem(p.Path, p.Message))
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return d.Decode()
}

// log says what is newly wrong.
func (r *reader) log(before, now []Problem) {
	for _, p := range now {
		if !slices.Contains(before, p) {
			r.logger.Error("Manifest is broken; what was good before goes on", "file", p.File, "line", p.Line,
				"object", p.Object, "field", p.Field, "problem", p.Message)
		}
	}
}

// all returns the objects and problems of all files, in the order of the files.
func (r *reader) all() (objects []*Object, problems []Problem) {
	paths := make([]string, 0, len(r.files))
	for path := range r.files {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		objects = append(objects, r.files[path].objects...)
		problems = append(problems, r.files[path].problems...)
	}
	return objects, problems
}

// within says whether a path is a directory or below it. Links are followed as far as there is something.
func within(path, dir string) bool {
	rel, err := filepath.Rel(realPath(dir), realPath(path))
	return err == nil && filepath.IsLocal(rel)
}

// realPath follows the links of the part of a path that exists.
func realPath(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		return resolved
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path
	}
	return filepath.Join(realPath(parent), filepath.Base(path))
}
