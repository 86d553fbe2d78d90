package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// largeScenario is a kind of large answer.
type largeScenario struct {
	name, model, path, body string
	// least is the size of an answer at least.
	least int64
}

// largeScenarios are what the table has. Base64 makes an image a third larger.
func largeScenarios() []largeScenario {
	image := func(name, model string) largeScenario {
		return largeScenario{
			name: name, model: model, path: "/v1/images/generations",
			body:  fmt.Sprintf(`{"model":%q,"prompt":"a lighthouse","response_format":"b64_json"}`, model),
			least: int64(base64.StdEncoding.EncodedLen(largeBytes)),
		}
	}
	return []largeScenario{
		image("images in the vendor's answer", "inline"),
		image("the same, with a Content-Length", "inline-sized"),
		image("images fetched by address", "fetched"),
		{
			name: "speech, streamed", model: "spoken", path: "/v1/audio/speech", least: largeBytes,
			body: `{"model":"spoken","input":"Hello.","voice":"English_Graceful_Lady"}`,
		},
	}
}

// largeBound is what a gateway may take for any number of large answers, in bytes of resident memory. errTooMuch means that it took more.
const largeBound = 512 << 20

var errTooMuch = errors.New("the gateway took more memory than it should")

// largeAnswers prints how much memory a gateway takes for many large answers at once. Each scenario has a gateway of its own, since the
// kernel keeps the peak of a process and not of a time.
func (b *bench) largeAnswers(binary string, short bool) error {
	parallel := 200
	if short {
		parallel = 40
	}
	up, err := freePort(b.ctx)
	if err != nil {
		return err
	}
	if _, err := b.launch(b.self, "media", up); err != nil {
		return err
	}
	if err := listening(b.ctx, up); err != nil {
		return err
	}
	fmt.Printf("\n| %d answers of %d MB at once | MB sent to clients | seconds | CPU ms per answer | RSS before MB | peak RSS MB |\n",
		parallel, largeBytes/1_000_000)
	fmt.Println("|---|---:|---:|---:|---:|---:|")
	for _, s := range largeScenarios() {
		if err := b.large(s, binary, up, parallel); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// large measures one scenario.
func (b *bench) large(s largeScenario, binary, up string, parallel int) error {
	address, err := freePort(b.ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(b.dir, "large-")
	if err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	gateway, err := b.gatewayOn(dir, binary, address, mediaManifests(up))
	if err != nil {
		return err
	}
	c := &contender{name: "vipcloud", url: "http://" + address, cmd: gateway}
	defer b.end(gateway)
	if err := listening(b.ctx, address); err != nil {
		return err
	}
	if err := b.modelServed(c, s.model); err != nil {
		return err
	}
	before, cpu, started := rss(c), cpuTime(c), time.Now()
	sent, err := s.flood(b.ctx, c, parallel)
	if err != nil {
		return err
	}
	took, peak := time.Since(started), peakRSS(gateway)
	cpu = (cpuTime(c) - cpu) / time.Duration(parallel)
	fmt.Printf("| %s | %.0f | %.1f | %d | %.1f | %.1f |\n", s.name, mb(sent), took.Seconds(), cpu.Milliseconds(), mb(before), mb(peak))
	if peak > largeBound {
		return fmt.Errorf("%.1f MB: %w", mb(peak), errTooMuch)
	}
	return nil
}

// modelServed waits until a gateway serves a model.
func (b *bench) modelServed(c *contender, model string) error {
	deadline := time.Now().Add(startTimeout)
	for {
		req, err := http.NewRequestWithContext(b.ctx, http.MethodGet, c.url+"/v1/models/"+model, nil)
		if err != nil {
			return fmt.Errorf("making request: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+benchKey)
		resp, err := http.DefaultClient.Do(req) //nolint:forbidigo // a probe
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waiting for model %s: %w", model, err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// errShortAnswer means that a client got less than was made.
var errShortAnswer = errors.New("an answer is too short")

// flood sends all requests at once and reads the answers to their ends. It returns how much that was.
func (s *largeScenario) flood(ctx context.Context, c *contender, parallel int) (int64, error) {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	var sent atomic.Int64
	problems := make([]error, parallel)
	var wg sync.WaitGroup
	for i := range parallel {
		wg.Go(func() {
			var n int64
			n, problems[i] = s.one(ctx, client, c.url)
			sent.Add(n)
		})
	}
	wg.Wait()
	return sent.Load(), errors.Join(problems...)
}

// one sends one request.
func (s *largeScenario) one(ctx context.Context, client *http.Client, url string) (int64, error) {
	n, err := post(ctx, client, url+s.path, strings.NewReader(s.body))
	if err != nil {
		return n, err
	}
	if n < s.least {
		return n, fmt.Errorf("%d bytes: %w", n, errShortAnswer)
	}
	return n, nil
}

// peakRSS is the largest resident memory of a process so far in bytes; 0 if that cannot be read.
func peakRSS(cmd *exec.Cmd) int64 {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "status"))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(data) {
		if value, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kb, _ := strconv.ParseInt(string(bytes.Fields(value)[0]), 10, 64)
			return kb << 10
		}
	}
	return 0
}
