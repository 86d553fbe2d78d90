package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// blockBytes is the size of the blocks in which answers of unknown length are gathered. What fits into one is a small answer.
const blockBytes = smallAnswer

// blocks are free blocks. The zero blocks are ready for use.
type blocks struct{ pool sync.Pool }

// get returns a block, whose content means nothing.
func (b *blocks) get() *[blockBytes]byte {
	if block, ok := b.pool.Get().(*[blockBytes]byte); ok {
		return block
	}
	return new([blockBytes]byte)
}

// put takes a block back.
func (b *blocks) put(block *[blockBytes]byte) { b.pool.Put(block) }

// hold waits until there is room for an answer, unless it is a small one. Copies is how often its bytes will be in memory. An answer of
// unknown length is gathered up to limit, so that it is read into one piece of the right size afterwards: a buffer that grows leaves more
// behind than it holds in the end. Errors are errResponseTooLarge and those of reading and of the context.
func (c *images) hold(ctx context.Context, resp *http.Response, copies, limit int64) error {
	if resp.ContentLength >= 0 {
		if resp.ContentLength <= smallAnswer {
			return nil
		}
		return c.take(ctx, copies*resp.ContentLength)
	}
	g := &collected{source: resp.Body, free: &c.proxy.held.free}
	resp.Body = g
	whole, err := g.more()
	if !whole && err == nil {
		if err = c.take(ctx, imageShare); err == nil {
			err = g.rest(limit)
		}
	}
	resp.ContentLength = g.size
	return err
}

// collected is a body that was read already. It is used by one goroutine.
type collected struct {
	source io.ReadCloser
	free   *blocks
	full   []*[blockBytes]byte
	size   int64
	// read counts the bytes that were read of it again.
	read int64
}

// more reads another block, and says whether the body is whole with it.
func (g *collected) more() (whole bool, err error) {
	block := g.free.get()
	g.full = append(g.full, block)
	for n := 0; n < blockBytes; {
		m, err := g.source.Read(block[n:])
		n, g.size = n+m, g.size+int64(m)
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, err
		}
	}
	return false, nil
}

// rest reads all that is left.
func (g *collected) rest(limit int64) error {
	for g.size <= limit {
		if whole, err := g.more(); err != nil || whole && g.size <= limit {
			return err
		}
	}
	return errResponseTooLarge
}

// Read implements io.Reader. A block that was read is free for others.
func (g *collected) Read(p []byte) (int, error) {
	if g.read == g.size {
		return 0, io.EOF
	}
	at := int(g.read % blockBytes)
	end := int(min(blockBytes, g.size-g.read+int64(at)))
	n := copy(p, g.full[0][at:end])
	if g.read += int64(n); at+n == blockBytes {
		g.free.put(g.full[0])
		g.full = g.full[1:]
	}
	return n, nil
}

// Close implements io.Closer.
func (g *collected) Close() error {
	for _, block := range g.full {
		g.free.put(block)
	}
	g.full, g.size, g.read = nil, 0, 0
	return g.source.Close()
}
