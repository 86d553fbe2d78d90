//go:build linux || darwin

package manifests

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// lockPatience is how long another gateway may keep the lock. It takes milliseconds; one that hangs must not make others hang.
	lockPatience = 2 * time.Second
	lockPause    = 5 * time.Millisecond
)

// lock keeps other gateways with the same state directory from the keys of a namespace, so that of several that want to make or rotate a
// key one does and the others take what it made. The kernel gives the lock back when its holder ends, however that happens. A
// directory that cannot be locked is used without.
func (s *keyStore) lock(namespace string) (unlock func()) {
	none := func() {}
	dir := filepath.Join(s.dir, namespace)
	if os.MkdirAll(dir, dirMode) != nil {
		return none
	}
	file, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return none
	}
	for end := time.Now().Add(lockPatience); syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil && time.Now().Before(end); {
		<-time.After(lockPause)
	}
	return func() { _ = file.Close() } // which unlocks
}
