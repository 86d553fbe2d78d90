package chaos_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"vipcloud.ai/vipcloud/gateway/jobs"
	"vipcloud.ai/vipcloud/gateway/keyring"
)

// traffic is clients that submit at one replica and ask at the other, with the key of the moment.
type traffic struct {
	*world
	replicas [2]*replica
	known    jar
	stop     chan struct{}
	wg       sync.WaitGroup

	// mu guards key, and is held for reading by whoever uses it.
	mu  sync.RWMutex
	key string
}

// use makes all clients use another key, and waits until what was begun with the one before has ended.
func (tr *traffic) use(key string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.key = key
}

// run lets some clients begin.
func (tr *traffic) run(clients int) {
	for client := range clients {
		tr.wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-tr.stop:
					return
				default:
				}
				tr.once(client, i)
				pause(tr.t.Context(), tr.weather.upTo(60*time.Millisecond))
			}
		})
	}
}

// once makes one job and asks for it where it was not made.
func (tr *traffic) once(client, i int) {
	tr.mu.RLock()
	defer tr.mu.RUnlock()
	here := (client + i) % 2
	answer := tr.submit(tr.replicas[here], tr.key, film(fmt.Sprintf("order-%d-%d", client, i), 4+i%8))
	id := answer.job().ID
	if id == "" {
		tr.t.Errorf("no job: %s", answer)
		return
	}
	tr.known.put(id)
	if asked := tr.poll(tr.replicas[1-here], tr.key, id); asked.job().ID != id {
		tr.t.Errorf("the other replica says: %s", asked)
	}
}

// everywhere waits until a condition holds at both replicas.
func (tr *traffic) everywhere(what string, holds func(*replica) bool) {
	tr.t.Helper()
	for _, r := range tr.replicas {
		tr.eventually(what, func() bool { return holds(r) })
	}
}

// rotateKeys rotates the client's key, and then the key that ids are sealed with, each with its overlap, while clients go on.
func rotateKeys(w *world) {
	tr := &traffic{world: w, replicas: [2]*replica{w.start(), w.start()}, stop: make(chan struct{}), key: firstKey}
	tr.run(4)
	end := sync.OnceFunc(func() { close(tr.stop); tr.wg.Wait() })
	defer end() // also if something is not so in time
	old := w.ring()

	w.accept(firstKey, secondKey)
	tr.everywhere("the new key is taken", func(r *replica) bool { return w.status(r, secondKey) == http.StatusOK })
	tr.use(secondKey)
	w.accept(secondKey)
	tr.everywhere("the old key is refused", func(r *replica) bool { return w.status(r, firstKey) == http.StatusUnauthorized })

	added, err := old.Add(time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	tr.seal(added)
	promoted, err := added.Promote(added.Keys()[1].ID, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	tr.seal(promoted)
	before := tr.known.len()
	w.eventually("jobs are made with the new ring", func() bool { return tr.known.len() > before+8 })
	end()

	tr.known.awaitAll(w, secondKey, tr.replicas[:]...)
	w.settle()
	w.onceEach(w.ledger(filmPath))
	if unknown := w.balance(tr.known.known); unknown != 0 {
		w.t.Errorf("the vendor bills %d tasks that nobody knows of", unknown)
	}
	tr.sealedWith(&old, &promoted)
}

// seal puts another ring in the place of the one that is kept, and waits until both replicas have it.
func (tr *traffic) seal(ring keyring.Ring) {
	tr.t.Helper()
	tr.write(tr.ringFile(), string(ring.Bytes()))
	primary := uint32(0)
	for _, k := range ring.Keys() {
		if k.Primary() {
			primary = k.ID
		}
	}
	tr.everywhere("the new ring is read", func(r *replica) bool {
		lines := r.lines("Key ring was read again")
		return len(lines) > 0 && lines[len(lines)-1].Primary == primary && lines[len(lines)-1].Keys == len(ring.Keys())
	})
}

// sealedWith looks at the ids: some were made with the old key, which the new ring opens too, and the last ones with the new one.
func (tr *traffic) sealedWith(old, promoted *keyring.Ring) {
	tr.t.Helper()
	byOld, byNew := 0, 0
	for id := range tr.known.known {
		if _, err := jobs.Open(promoted, id, owner, time.Now()); err != nil {
			tr.t.Errorf("an id cannot be opened with the new ring: %v", err)
		}
		if _, err := jobs.Open(old, id, owner, time.Now()); err == nil {
			byOld++
		} else {
			byNew++
		}
	}
	if byOld == 0 || byNew == 0 {
		tr.t.Errorf("%d ids are sealed with the old key, %d with the new one", byOld, byNew)
	}
	tr.t.Logf("%d jobs with the old sealing key, %d with the new one", byOld, byNew)
}

// rotateGenerated lets two replicas with one state directory make a key, and rotate it, at the same moments. Both take the key that is
// kept, and the one before it.
func rotateGenerated(w *world) {
	replicas := []*replica{w.start(), w.start()}
	kept := func() string {
		raw, err := os.ReadFile(filepath.Join(w.state, "shop", "made.key"))
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(raw))
	}
	for i := range 5 {
		before := kept()
		w.write(filepath.Join(w.dir, "made.yaml"), fmt.Sprintf(`apiVersion: vipcloud.ai/v1alpha1
kind: ApiKey
metadata: {name: made, namespace: shop}
spec: {gatewayRef: {name: default, namespace: vipcloud-system}, rotation: {trigger: "%d"}}
`, i))
		for _, r := range replicas {
			w.eventually("the new key is taken", func() bool { return kept() != before && w.status(r, kept()) == http.StatusOK })
		}
		for _, r := range replicas {
			if before != "" && w.status(r, before) != http.StatusOK {
				w.t.Errorf("after rotation %d the key before is refused within its overlap", i)
			}
		}
	}
}
