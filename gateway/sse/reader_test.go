package sse

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// readAll returns the data of all events and the number of comments, until the stream's error.
func readAll(r *Reader) (data []string, comments int, err error) {
	for {
		kind, d, err := r.Next()
		switch {
		case err != nil:
			return data, comments, err
		case kind == Comment:
			comments++
		default:
			data = append(data, string(d))
		}
	}
}

func TestReader_framesEventsWhereverReadsEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		in           string
		want         []string
		wantComments int
	}{
		"nothing":                             {in: ""},
		"one event":                           {in: "data: a\n\n", want: []string{"a"}},
		"no blank after the colon":            {in: "data:a\n\n", want: []string{"a"}},
		"only one blank is taken off":         {in: "data:  a\n\n", want: []string{" a"}},
		"CRLF":                                {in: "data: a\r\n\r\ndata: b\r\n\r\n", want: []string{"a", "b"}},
		"lone CR":                             {in: "data: a\r\rdata: b\r\r", want: []string{"a", "b"}},
		"mixed line ends":                     {in: "data: a\r\n\ndata: b\n\r\n", want: []string{"a", "b"}},
		"last event without its empty line":   {in: "data: a\n\ndata: b\n", want: []string{"a", "b"}},
		"last line without its end":           {in: "data: a\n\ndata: b", want: []string{"a", "b"}},
		"data over two lines":                 {in: "data: {\ndata: }\n\n", want: []string{"{\n}"}},
		"comments between events":             {in: ": x\n\ndata: a\n\n: y\n\n", want: []string{"a"}, wantComments: 2},
		"a comment within an event":           {in: "data: a\n: y\ndata: b\n\n", want: []string{"a\nb"}},
		"names, ids and retries mean nothing": {in: "event: x\nid: 1\nretry: 3\ndata: a\n\n", want: []string{"a"}},
		"an event without data is none":       {in: "event: ping\n\ndata: a\n\n", want: []string{"a"}},
		"empty data is data":                  {in: "data\n\ndata:\n\n", want: []string{"", ""}},
		"a field that only begins like data":  {in: "database: x\n\ndata: a\n\n", want: []string{"a"}},
		"byte order mark":                     {in: "\xef\xbb\xbfdata: a\n\n", want: []string{"a"}},
		"byte order mark later is content":    {in: "data: a\n\ndata: \xef\xbb\xbf\n\n", want: []string{"a", "\xef\xbb\xbf"}},
		"many empty lines":                    {in: "\n\n\ndata: a\n\n\n\n", want: []string{"a"}},
		"multibyte text":                      {in: "data: 世界🌏\n\n", want: []string{"世界🌏"}},
		"longer than the buffer":              {in: "data: " + strings.Repeat("x", 3*readSize) + "\n\ndata: b\n\n", want: []string{strings.Repeat("x", 3*readSize), "b"}},
		"CRLF at the buffer's end":            {in: "data: " + strings.Repeat("x", readSize-7) + "\r\n\r\ndata: b\r\n\r\n", want: []string{strings.Repeat("x", readSize-7), "b"}},
	} {
		for reads, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "halves": iotest.HalfReader, "data with error": iotest.DataErrReader,
		} {
			t.Run(name+", "+reads, func(t *testing.T) {
				got, comments, err := readAll(NewReader(wrap(strings.NewReader(tc.in)), 0))
				if !errors.Is(err, io.EOF) {
					t.Errorf("error %v, want EOF", err)
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
				if comments != tc.wantComments {
					t.Errorf("%d comments, want %d", comments, tc.wantComments)
				}
			})
		}
	}
}

func TestReader_boundsAnEvent(t *testing.T) {
	for name, in := range map[string]string{
		"one long line":          "data: " + strings.Repeat("x", 2000) + "\n\n",
		"many lines":             strings.Repeat("data: xxxxxxxxxx\n", 200) + "\n",
		"a line that never ends": strings.Repeat("x", 3*readSize),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := readAll(NewReader(strings.NewReader(in), 1000))
			if !errors.Is(err, ErrEventTooLarge) {
				t.Errorf("error %v, want ErrEventTooLarge", err)
			}
		})
	}
}

func TestReader_givesUpALargeBuffer(t *testing.T) {
	r := NewReader(strings.NewReader("data: "+strings.Repeat("x", 10*keepSize)+"\n\ndata: b\n\n"), 0)
	for range 2 {
		if _, _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if cap(r.data) > keepSize {
		t.Errorf("%d bytes are kept", cap(r.data))
	}
}

func TestReader_passesOnTheSourcesError(t *testing.T) {
	broken := errors.New("broken")
	got, _, err := readAll(NewReader(io.MultiReader(strings.NewReader("data: a\n\ndata: b\n\n"), iotest.ErrReader(broken)), 0))
	if !errors.Is(err, broken) || len(got) != 2 {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestReader_ordinaryEventsAllocateNothing(t *testing.T) {
	event := []byte("data: " + strings.Repeat("x", 250) + "\n\n")
	src := &endless{event: event}
	r := NewReader(src, 0)
	if _, _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() { _, _, _ = r.Next() }); n > 0 {
		t.Errorf("%v allocations per event", n)
	}
}

// endless repeats an event.
type endless struct {
	event []byte
	at    int
}

// Read implements io.Reader.
func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.event[e.at:])
	e.at = (e.at + n) % len(e.event)
	return n, nil
}

func BenchmarkReader(b *testing.B) {
	r := NewReader(&endless{event: []byte("data: " + strings.Repeat("x", 250) + "\n\n")}, 0)
	b.ReportAllocs()
	for b.Loop() {
		_, _, _ = r.Next()
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("data: a\r\n\r\n: c\n\ndata:b\rdata\n\n"), byte(3))
	f.Add([]byte("\xef\xbb\xbfdata: [DONE]\n\n"), byte(1))
	f.Fuzz(func(t *testing.T, in []byte, size byte) {
		whole, _, err := readAll(NewReader(bytes.NewReader(in), 1<<20))
		if !errors.Is(err, io.EOF) {
			t.Fatalf("error %v", err)
		}
		pieces, _, err := readAll(NewReader(&chunked{data: in, size: int(size%7) + 1}, 1<<20))
		if !errors.Is(err, io.EOF) {
			t.Fatalf("error in pieces %v", err)
		}
		if diff := cmp.Diff(whole, pieces); diff != "" {
			t.Errorf("events depend on where reads end (-whole +pieces):\n%s", diff)
		}
		for _, d := range whole {
			if strings.ContainsRune(d, '\r') {
				t.Errorf("data holds a line end: %q", d)
			}
		}
	})
}

// chunked gives a few bytes at a time.
type chunked struct {
	data []byte
	size int
}

// Read implements io.Reader.
func (c *chunked) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.data[:min(c.size, len(c.data))])
	c.data = c.data[n:]
	return n, nil
}

func TestAppendEvent_keepsAnEventOnOneLine(t *testing.T) {
	got := string(AppendEvent([]byte("x"), []byte("{\n\n}")))
	if got != "xdata: {  }\n\n" {
		t.Errorf("got %q", got)
	}
	r := NewReader(strings.NewReader(got[1:]), 0)
	if _, data, err := r.Next(); err != nil || string(data) != "{  }" {
		t.Errorf("read back %q, %v", data, err)
	}
}
