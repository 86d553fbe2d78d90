package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// clockTick is the unit of CPU time in /proc, which is 100 Hz on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// request makes a body with a prompt of about n bytes.
func request(model string, n int, stream bool) []byte {
	return fmt.Appendf(nil, `{"model":%q,"stream":%t,"messages":[{"role":"user","content":%q}],"temperature":0.7}`,
		model, stream, strings.Repeat("lorem ipsum ", n/12+1))
}

// call asks for a chat and reads the answer to its end.
func call(ctx context.Context, client *http.Client, url string, body []byte) (int64, error) {
	return post(ctx, client, url+"/v1/chat/completions", bytes.NewReader(body))
}

// post sends one request and reads the answer to its end.
func post(ctx context.Context, client *http.Client, url string, body io.Reader) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return 0, fmt.Errorf("making request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+benchKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("calling: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // for the message
		return 0, fmt.Errorf("status %d: %s", resp.StatusCode, text)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil {
		return n, fmt.Errorf("reading answer: %w", err)
	}
	return n, nil
}

// sample is what one round gave.
type sample struct {
	cpu      time.Duration // of the contender, per request
	p50, p99 time.Duration
}

// round sends requests from several connections and measures the contender.
func round(ctx context.Context, c *contender, body []byte, requests, parallel int) (sample, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: parallel, DisableCompression: true}}
	defer client.CloseIdleConnections()
	latencies := make([]time.Duration, requests)
	var next atomic.Int64
	var wg sync.WaitGroup
	var failure atomic.Pointer[error]
	before := cpuTime(c)
	for range parallel {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(requests) && failure.Load() == nil; i = next.Add(1) - 1 {
				started := time.Now()
				if _, err := call(ctx, client, c.url, body); err != nil {
					failure.Store(&err)
					return
				}
				latencies[i] = time.Since(started)
			}
		})
	}
	wg.Wait()
	if err := failure.Load(); err != nil {
		return sample{}, fmt.Errorf("measuring %s: %w", c.name, *err)
	}
	cpu := cpuTime(c) - before
	slices.Sort(latencies)
	return sample{cpu: cpu / time.Duration(requests), p50: latencies[requests/2], p99: latencies[requests*99/100]}, nil
}

// cpuTime is the user and system time of a contender and its children so far.
func cpuTime(c *contender) time.Duration {
	var total time.Duration
	for _, pid := range family(c) {
		data, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		for _, f := range fields[11:13] {
			ticks, _ := strconv.ParseInt(f, 10, 64)
			total += time.Duration(ticks) * clockTick
		}
	}
	return total
}

// rss is the resident memory of a contender and its children in bytes.
func rss(c *contender) int64 {
	var total int64
	for _, pid := range family(c) {
		data, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
		if err != nil {
			continue
		}
		for line := range strings.SplitSeq(string(data), "\n") {
			if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				kb, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
				total += kb << 10
			}
		}
	}
	return total
}

// family lists a contender's process and its children, such as nginx's workers.
func family(c *contender) []string {
	if c.cmd == nil {
		return nil
	}
	pid := strconv.Itoa(c.cmd.Process.Pid)
	pids := []string{pid}
	children, err := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
	if err == nil {
		pids = append(pids, strings.Fields(string(children))...)
	}
	return pids
}
