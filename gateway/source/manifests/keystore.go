package manifests

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vipcloud.ai/vipcloud/gateway/apikey"
)

const (
	// keySuffix and memorySuffix end the two files of a key: its characters and nothing else, so that a shell can read them,
	// and what must be remembered of it.
	keySuffix    = ".key"
	memorySuffix = ".json"
	fileMode     = 0o600
	dirMode      = 0o700
)

// keyStore keeps keys in a directory: <namespace>/<name>.key and .json. Namespace and name are checked before they come here. The
// key ring is there, too.
type keyStore struct {
	dir    string
	random io.Reader // nil: the system's
}

// memory is what is remembered of a key. It holds hashes only.
type memory struct {
	// Current is the hash of the key that was last seen.
	Current string `json:"current"`
	// CreatedAt is when it was made or first seen.
	CreatedAt time.Time `json:"createdAt"`
	// Trigger is the rotation.trigger that it answers.
	Trigger string `json:"trigger,omitempty"`
	// Previous is the hash before the last rotation, and PreviousNotAfter its end.
	Previous         string    `json:"previous,omitempty"`
	PreviousNotAfter time.Time `json:"previousNotAfter,omitzero"`
}

// rotate makes a hash the current one and lets the old one go on until end.
func (m *memory) rotate(hash string, now, end time.Time) {
	m.Previous, m.PreviousNotAfter = m.Current, end
	m.Current, m.CreatedAt = hash, now
}

// keyPath is the file with the characters of a key.
func (s *keyStore) keyPath(namespace, name string) string {
	return filepath.Join(s.dir, namespace, name+keySuffix)
}

// memoryPath is the file with what is remembered.
func (s *keyStore) memoryPath(namespace, name string) string {
	return filepath.Join(s.dir, namespace, name+memorySuffix)
}

// key reads a key; "" if there is none. White space around it, as an editor leaves it, does not belong to it.
func (s *keyStore) key(namespace, name string) (string, error) {
	raw, err := os.ReadFile(s.keyPath(namespace, name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading key: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// remembered reads what is remembered of a key; zero if that is nothing.
func (s *keyStore) remembered(namespace, name string) (memory, error) {
	raw, err := os.ReadFile(s.memoryPath(namespace, name))
	if errors.Is(err, fs.ErrNotExist) {
		return memory{}, nil
	}
	if err != nil {
		return memory{}, fmt.Errorf("reading memory of key: %w", err)
	}
	var m memory
	if err := json.Unmarshal(raw, &m); err != nil {
		return memory{}, fmt.Errorf("reading %s: %w", s.memoryPath(namespace, name), err)
	}
	if _, err := apikey.ParseHash(m.Current); m.Current != "" && err != nil {
		return memory{}, fmt.Errorf("reading %s: %w", s.memoryPath(namespace, name), err)
	}
	return m, nil
}

// generate makes a key and writes it.
func (s *keyStore) generate(namespace, name string) (string, error) {
	key, err := apikey.Generate(s.random)
	if err != nil {
		return "", fmt.Errorf("generating key: %w", err)
	}
	if err := s.write(s.keyPath(namespace, name), []byte(key+"\n")); err != nil {
		return "", fmt.Errorf("keeping key: %w", err)
	}
	return key, nil
}

// remember writes what is remembered of a key.
func (s *keyStore) remember(namespace, name string, m memory) error {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("writing memory of key: %w", err)
	}
	if err := s.write(s.memoryPath(namespace, name), append(raw, '\n')); err != nil {
		return fmt.Errorf("keeping memory of key: %w", err)
	}
	return nil
}

// forget removes a key for good.
func (s *keyStore) forget(namespace, name string) error {
	var problems []error
	for _, path := range []string{s.keyPath(namespace, name), s.memoryPath(namespace, name)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, fmt.Errorf("removing key: %w", err))
		}
	}
	return errors.Join(problems...)
}

// write replaces a file as a whole, so that nobody ever reads half a key.
func (s *keyStore) write(path string, data []byte) error { return s.put(path, data, os.Rename) }

// create makes a file as a whole. It wraps fs.ErrExist if there is one of that name, which stays as it is.
func (s *keyStore) create(path string, data []byte) error {
	return s.put(path, data, func(written, path string) error { return errors.Join(os.Link(written, path), os.Remove(written)) })
}

// put writes a file beside its place and then puts it there.
func (s *keyStore) put(path string, data []byte, place func(written, path string) error) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return fmt.Errorf("making directory: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("making file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if _, err := file.Write(data); err != nil {
		return errors.Join(fmt.Errorf("writing file: %w", err), file.Close())
	}
	if err := errors.Join(file.Chmod(fileMode), file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing file: %w", err)
	}
	if err := place(file.Name(), path); err != nil {
		return fmt.Errorf("putting file in place: %w", err)
	}
	return nil
}
