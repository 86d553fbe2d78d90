package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// scenario is a kind of request.
type scenario struct {
	name     string
	prompt   int
	stream   bool
	requests int
	parallel int
}

// rounds is how often each contender is measured in turn; the medians count.
const rounds = 5

// scenarios are the requests of the table; a short run sends a tenth.
func scenarios(short bool) []scenario {
	all := []scenario{
		{"20 KB prompt", 20 << 10, false, 8000, 16},
		{"1 MB prompt", 1 << 20, false, 600, 8},
		{"20 KB prompt, 200-chunk stream", 20 << 10, true, 2500, 16},
		{"1 MB prompt, 200-chunk stream", 1 << 20, true, 500, 8},
	}
	if short {
		for i := range all {
			all[i].requests /= 5
		}
	}
	return all
}

// run measures and prints.
func run(ctx context.Context, binary string, memoryAlone bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	dir, err := os.MkdirTemp("", "vipcloud-bench-")
	if err != nil {
		return fmt.Errorf("making a work directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &bench{ctx: ctx, dir: dir, self: self}
	defer b.stop()
	short := os.Getenv("SHORT") == "1"
	if !memoryAlone {
		if err := b.compareAll(binary, short); err != nil {
			return err
		}
	}
	if err := b.largeAnswers(binary, short); err != nil {
		return err
	}
	for _, s := range b.skipped {
		fmt.Println(s)
	}
	return nil
}

// compareAll measures the gateway beside the other contenders.
func (b *bench) compareAll(binary string, short bool) error {
	if err := b.setup(binary); err != nil {
		return err
	}
	fmt.Println("| scenario | contender | CPU µs/request | × ReverseProxy | p50 ms | p99 ms | added p50 ms | added p99 ms |")
	fmt.Println("|---|---|---:|---:|---:|---:|---:|---:|")
	for _, s := range scenarios(short) {
		if err := b.compare(s); err != nil {
			return err
		}
	}
	return b.slowStreams(short)
}

// compare measures one scenario at every contender in turn and prints the medians.
func (b *bench) compare(s scenario) error {
	body := request("bench", s.prompt, s.stream)
	samples := make([][]sample, len(b.contenders))
	for i := range rounds + 1 {
		for j, c := range b.contenders {
			got, err := round(b.ctx, c, body, s.requests, s.parallel)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if i > 0 { // the first round warms up
				samples[j] = append(samples[j], got)
			}
		}
	}
	base, direct := median(samples[1]), median(samples[0])
	for j, c := range b.contenders {
		m := median(samples[j])
		if c.cmd == nil {
			fmt.Printf("| %s | %s | | | %s | %s | | |\n", s.name, c.name, ms(m.p50), ms(m.p99))
			continue
		}
		fmt.Printf("| %s | %s | %d | %.2f | %s | %s | %s | %s |\n", s.name, c.name, m.cpu.Microseconds(),
			float64(m.cpu)/float64(base.cpu), ms(m.p50), ms(m.p99), ms(m.p50-direct.p50), ms(m.p99-direct.p99))
	}
	return nil
}

// median of each figure by itself.
func median(samples []sample) sample {
	pick := func(get func(sample) time.Duration) time.Duration {
		values := make([]time.Duration, len(samples))
		for i, s := range samples {
			values[i] = get(s)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return sample{
		cpu: pick(func(s sample) time.Duration { return s.cpu }),
		p50: pick(func(s sample) time.Duration { return s.p50 }),
		p99: pick(func(s sample) time.Duration { return s.p99 }),
	}
}

// ms prints milliseconds.
func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000) }

// errStreamFailed means that a slow stream ended early.
var errStreamFailed = errors.New("a slow stream ended early")

// slowStreams holds many streams open at once and prints what each costs in memory.
func (b *bench) slowStreams(short bool) error {
	streams := 1000
	if short {
		streams = 300
	}
	fmt.Printf("\n| %d slow streams | RSS before MB | RSS with MB | KB per stream |\n|---|---:|---:|---:|\n", streams)
	for _, c := range b.contenders {
		if c.cmd == nil {
			continue
		}
		if err := b.slow(c, streams); err != nil {
			return fmt.Errorf("slow streams through %s: %w", c.name, err)
		}
	}
	return nil
}

// slow measures one contender.
func (b *bench) slow(c *contender, streams int) error {
	ctx, cancel := context.WithCancel(b.ctx)
	before := rss(c)
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10}}
	body := request("slow", 20<<10, true)
	var wg sync.WaitGroup
	var failed atomic.Bool
	for range streams {
		wg.Go(func() {
			if _, err := call(ctx, client, c.url, body); ctx.Err() == nil && err != nil {
				failed.Store(true)
			}
		})
	}
	select { // long enough for every stream to have sent several chunks
	case <-b.ctx.Done():
	case <-time.After(5 * time.Second):
	}
	with := rss(c)
	cancel()
	wg.Wait()
	client.CloseIdleConnections()
	if failed.Load() {
		return errStreamFailed
	}
	fmt.Printf("| %s | %.1f | %.1f | %.1f |\n", c.name, mb(before), mb(with), float64(with-before)/1024/float64(streams))
	return nil
}

// mb prints megabytes.
func mb(n int64) float64 { return float64(n) / (1 << 20) }
