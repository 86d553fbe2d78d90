package kubernetes

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// op is what a watch saw.
type op int

const (
	// opList is a whole list.
	opList op = iota
	// opPut is an object that was added or changed.
	opPut
	// opRemove is an object that was deleted.
	opRemove
	// opVersion says only that the watch has come as far as a version.
	opVersion
)

// item is what is kept of an object.
type item struct {
	id types.NamespacedName
	// value depends on the kind of the watch; see the reduce functions. Nil: the object exists but is none of our business.
	value any
}

// change is something that a watch saw.
type change struct {
	from    *watcher
	op      op
	items   []item // all of them for opList, one for opPut and opRemove
	version string // the version that the watch has reached, with opList and opVersion
}

// feed turns what a reflector delivers into changes. Objects are reduced at once, so that what is not needed of them can be
// collected, even while a long list is still coming in.
type feed struct {
	ctx    context.Context //nolint:containedctx // the reflector's store interface has none, and a send must end with the watch
	from   *watcher
	out    chan<- change
	reduce func(object any) any
}

var (
	_ cache.TransformingStore      = (*feed)(nil)
	_ cache.ResourceVersionUpdater = (*feed)(nil)
)

// Transformer reduces the objects of a streaming list one by one.
func (f *feed) Transformer() cache.TransformFunc { return f.item }

// Add is called for a new object.
func (f *feed) Add(object any) error { return f.send(opPut, object) }

// Update is called for a changed object.
func (f *feed) Update(object any) error { return f.send(opPut, object) }

// Delete is called for a deleted object.
func (f *feed) Delete(object any) error { return f.send(opRemove, object) }

// Resync is never asked for.
func (f *feed) Resync() error { return nil }

// Replace is called with a whole list, of items if it was streamed and of objects if it was not.
func (f *feed) Replace(objects []any, version string) error {
	items := make([]item, 0, len(objects))
	for _, object := range objects {
		reduced, err := f.item(object)
		if err != nil {
			return err
		}
		items = append(items, reduced.(item))
	}
	f.push(change{from: f.from, op: opList, items: items, version: version})
	return nil
}

// UpdateResourceVersion is called after each event and for bookmarks, which bring no object. Only it says how far the watch
// has come: the reflector knows when the version of an object says nothing of the objects before it.
func (f *feed) UpdateResourceVersion(version string) {
	f.push(change{from: f.from, op: opVersion, version: version})
}

// item reduces an object, unless that was done already.
func (f *feed) item(object any) (any, error) {
	if done, ok := object.(item); ok {
		return done, nil
	}
	m, err := meta.Accessor(object)
	if err != nil {
		return nil, fmt.Errorf("reading metadata of %T: %w", object, err)
	}
	return item{
		id:    types.NamespacedName{Namespace: m.GetNamespace(), Name: m.GetName()},
		value: f.reduce(object),
	}, nil
}

// send passes an event on.
func (f *feed) send(o op, object any) error {
	reduced, err := f.item(object)
	if err != nil {
		return err
	}
	f.push(change{from: f.from, op: o, items: []item{reduced.(item)}})
	return nil
}

// push waits until the owner takes a change, or until the watch ends.
func (f *feed) push(c change) {
	f.from.sign()
	select {
	case f.out <- c:
	case <-f.ctx.Done():
	}
}
