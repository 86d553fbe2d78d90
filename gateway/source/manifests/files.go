package manifests

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxFileSize bounds one file: more than any API server would take of one object.
const maxFileSize = 8 << 20

// ListFiles returns the manifests below a directory in order, and the directories they are in. Names that begin with a dot
// are passed over, and with them what a mounted ConfigMap keeps behind its links; links to files are followed, links to
// directories are not.
func ListFiles(root string) (files, dirs []string, err error) {
	root, err = filepath.EvalSymlinks(root)
	if err != nil {
		return nil, nil, fmt.Errorf("finding directory: %w", err)
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != root:
			return nil // it went while we looked
		case err != nil:
			return err
		case path != root && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			dirs = append(dirs, path)
		case isManifest(path):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("listing %s: %w", root, err)
	}
	slices.Sort(files)
	return files, dirs, nil
}

// isManifest goes by the end of the name.
func isManifest(path string) bool {
	switch filepath.Ext(path) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// IsKustomization says that a file is kustomize's own, and holds no object.
func IsKustomization(path string) bool {
	switch strings.ToLower(filepath.Base(path)) {
	case "kustomization.yaml", "kustomization.yml":
		return true
	}
	return false
}

// errTooLarge means that a file is no manifest, whatever its name.
var errTooLarge = errors.New("larger than 8 MiB")

// readFile reads a manifest, following a link.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFileSize {
		return nil, errTooLarge
	}
	return os.ReadFile(path)
}

// stamp is what tells a changed file without reading it.
type stamp struct {
	path     string
	size     int64
	modified time.Time
}

// stamps returns those of all files, in order; nil if they cannot be listed.
func stamps(root string) []stamp {
	files, _, err := ListFiles(root)
	if err != nil {
		return nil
	}
	return stampsOf(files...)
}

// stampsOf returns those of some files, without any for what is not there.
func stampsOf(files ...string) []stamp {
	all := make([]stamp, 0, len(files))
	for _, path := range files {
		if info, err := os.Stat(path); err == nil {
			all = append(all, stamp{path: path, size: info.Size(), modified: info.ModTime()})
		}
	}
	return all
}
