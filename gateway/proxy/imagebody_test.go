package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/iotest"
)

// closing notes that a body was closed.
type closing struct {
	io.Reader
	closed bool
}

// Close implements io.Closer.
func (c *closing) Close() error {
	c.closed = true
	return nil
}

// pattern is data in which every place can be told from its neighbours.
func pattern(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i % 251)
	}
	return data
}

func TestHold_bodyIsWholeWhateverItsLength(t *testing.T) {
	for name, tc := range map[string]struct {
		size  int
		sized bool
		share int64
	}{
		"nothing":                     {},
		"a small one":                 {size: 1000},
		"a small one, sized":          {size: 1000, sized: true},
		"a byte less than a block":    {size: blockBytes - 1},
		"a block":                     {size: blockBytes, share: imageShare},
		"a block, sized":              {size: blockBytes, sized: true},
		"a byte more":                 {size: blockBytes + 1, share: imageShare},
		"many blocks and a half":      {size: 20*blockBytes + blockBytes/2, share: imageShare},
		"many blocks, sized":          {size: 20 * blockBytes, sized: true, share: 2 * 20 * blockBytes},
		"exactly the limit":           {size: 32 * blockBytes, share: imageShare},
		"beyond a block, sized small": {size: blockBytes + 1, sized: true, share: leastShare},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second time with blocks that were used
				const limit = 32 * blockBytes
				c := &images{exchange: &exchange{proxy: New(Options{})}}
				c.prepare(c.proxy.held, 1)
				want, source := pattern(tc.size), &closing{}
				source.Reader = iotest.HalfReader(bytes.NewReader(want))
				resp := &http.Response{ContentLength: -1, Body: source}
				if tc.sized {
					resp.ContentLength = int64(tc.size)
				}
				if err := c.hold(t.Context(), resp, 2, limit); err != nil {
					t.Fatal(err)
				}
				if resp.ContentLength != int64(tc.size) || c.share != tc.share {
					t.Errorf("length %d, want %d; share %d, want %d", resp.ContentLength, tc.size, c.share, tc.share)
				}
				got, err := readBounded(resp, limit)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes of %d are read, %v", len(got), tc.size, err)
				}
				if _ = resp.Body.Close(); !source.closed {
					t.Error("the connection is not given back")
				}
			}
		})
	}
}

func TestHold_brokenBodies(t *testing.T) {
	broken := errors.New("connection reset")
	for name, tc := range map[string]struct {
		body io.Reader
		want error
	}{
		"broken early": {io.MultiReader(bytes.NewReader(pattern(10)), iotest.ErrReader(broken)), broken},
		"broken late":  {io.MultiReader(bytes.NewReader(pattern(3*blockBytes)), iotest.ErrReader(broken)), broken},
		"cut off": {
			io.MultiReader(bytes.NewReader(pattern(3*blockBytes+9)), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF,
		},
		"a byte too large": {bytes.NewReader(pattern(8*blockBytes + 1)), errResponseTooLarge},
		"far too large":    {bytes.NewReader(pattern(20 * blockBytes)), errResponseTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			c := &images{exchange: &exchange{proxy: New(Options{})}}
			c.prepare(c.proxy.held, 1)
			resp := &http.Response{ContentLength: -1, Body: &closing{Reader: tc.body}}
			if err := c.hold(t.Context(), resp, 2, 8*blockBytes); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if err := resp.Body.Close(); err != nil {
				t.Error(err)
			}
			if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("a closed body gives %d bytes, %v", n, err)
			}
		})
	}
}
