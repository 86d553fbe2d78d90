package providertest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

// directed is what makes a studio fail the request whose prompt ends so.
func directed(mode studio.Mode) string {
	if mode == "" {
		return ""
	}
	return " [[fail " + string(mode) + "]]"
}

// fetch gets a result as anybody can, and its content type.
func (r *rig) fetch(tb testing.TB, address string) (data []byte, contentType string, err error) {
	tb.Helper()
	u, err := url.Parse(address)
	if err != nil {
		return nil, "", fmt.Errorf("the address of a result: %w", err)
	}
	if u.Host != r.host {
		return nil, "", fmt.Errorf("the address of a result is %q, want one at %s", address, r.host)
	}
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, "", err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	if data, err = io.ReadAll(resp.Body); err != nil {
		return nil, "", err
	}
	if resp.StatusCode != http.StatusOK || len(data) == 0 {
		return nil, "", fmt.Errorf("fetching a result without a credential: status %d, %d bytes", resp.StatusCode, len(data))
	}
	return data, resp.Header.Get("Content-Type"), nil
}

// checkTask checks what is sealed into the job's id.
func (r *rig) checkTask(tb testing.TB, task provider.Task) {
	tb.Helper()
	if err := soundTask(task); err != nil {
		tb.Error(err)
	}
	if entries := r.shown(task.ID+"\n"+task.State, func(string) bool { return true }); len(entries) > 0 {
		tb.Errorf("the task holds the values of %q", entries)
	}
}

// soundTask says what is wrong with a task, nil if nothing is.
func soundTask(task provider.Task) error {
	if task.ID == "" {
		return fmt.Errorf("there is neither a task nor an error: %+v", task)
	}
	if n := len(task.ID) + len(task.State); n > 4096 {
		return fmt.Errorf("the task has %d bytes, and is to be sealed into an id", n)
	}
	return nil
}

// add adds up what several calls counted. It is known if all of them know.
func add(a, b provider.Usage) provider.Usage {
	return provider.Usage{
		Known: a.Known && b.Known, PromptTokens: a.PromptTokens + b.PromptTokens, CompletionTokens: a.CompletionTokens + b.CompletionTokens,
		Images: a.Images + b.Images, Seconds: a.Seconds + b.Seconds, Songs: a.Songs + b.Songs, Characters: a.Characters + b.Characters,
	}
}

// checkUsage checks what the vendor counted against what it made.
func (r *rig) checkUsage(tb testing.TB, u provider.Usage, counted, billed int64) {
	tb.Helper()
	switch {
	case !u.Known && !r.lacks(WithoutUsage):
		tb.Errorf("Usage.Known is false: name %q in Without if the vendor tells nothing", WithoutUsage)
	case u.Known && r.lacks(WithoutUsage):
		tb.Errorf("Without has %q, and Usage is known: %+v", WithoutUsage, u)
	case u.Known && counted != billed:
		tb.Errorf("Usage is %d (%+v), and the vendor bills %d", counted, u, billed)
	}
}

// stranger makes an id of the same form that the vendor does not know.
func (r *rig) stranger(tb testing.TB, id string) string {
	tb.Helper()
	turned := []byte(id)
	for range 9 {
		for i, c := range turned {
			if c >= '0' && c <= '9' {
				turned[i] = '0' + (c-'0'+1)%10
			}
		}
		if task, _ := r.m.Studio.Task(string(turned)); task == nil && string(turned) != id {
			return string(turned)
		}
	}
	return "1" + id
}
