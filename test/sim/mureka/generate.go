package mureka

import (
	"fmt"
	"strconv"

	"vipcloud.ai/vipcloud/test/sim/studio"
)

// generate makes a task.
func (x *exchange) generate(k kind) *problem {
	var o order
	if p := x.read(&o); p != nil {
		return p
	}
	x.Entry.Model = or(o.Model, "auto")
	if p := o.check(k, x.skywork); p != nil {
		return p
	}
	model, p := x.resolve(x.Entry.Model, k)
	if p != nil {
		return p
	}
	mode := x.Mode(or(o.Prompt, "") + "\n" + or(o.Lyrics, ""))
	x.noteBalance(mode)
	if x.fails(mode) {
		return nil
	}
	t, p := x.accept(k, &o, model, mode)
	if p != nil {
		return p
	}
	x.answer(mode, map[string]any{"id": t.ID, "created_at": t.Created.Unix(), "model": model, "status": "preparing", "trace_id": x.trace()})
	return nil
}

// accept makes a task, unless too many run.
func (x *exchange) accept(k kind, o *order, model string, mode studio.Mode) (*studio.Task, *problem) {
	j := &job{kind: k, skywork: x.skywork, songs: or(o.N, 2), lyrics: or(o.Lyrics, ""), stream: or(o.Stream, false)}
	t := &studio.Task{ID: strconv.FormatInt(43_000_000_000_000+x.Next(), 10), Kind: studio.Music, Model: model, Mode: mode, Data: j}
	switch mode {
	case TimedOut, Withdrawn:
		j.end, t.Mode = string(mode), studio.TaskFailed
	case studio.PartialOutput: // the last of several songs is missing; of one song none is
		j.songs = max(j.songs-1, 1)
	}
	t.Units = int64(j.songs)
	s := x.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Unfinished() >= s.limit {
		return nil, tooManyTasks(s.limit)
	}
	s.accepted++
	j.number = s.accepted
	s.Add(t)
	return t, nil
}

func (x *exchange) concurrency() int {
	x.sim.mu.Lock()
	defer x.sim.mu.Unlock()
	return x.sim.limit
}

// lyrics writes a text, at once. Its prompt is taken to be limited as the others are.
func (x *exchange) lyrics() *problem {
	x.Entry.Model = "lyrics"
	var body struct {
		Prompt *string `json:"prompt"`
	}
	if p := x.read(&body); p != nil {
		return p
	}
	if or(body.Prompt, "") == "" {
		return invalid("prompt is required")
	}
	if p := shorter("prompt", body.Prompt, maxPrompt); p != nil {
		return p
	}
	mode := x.Mode(*body.Prompt)
	x.noteBalance(mode)
	if x.fails(mode) || !x.Work() {
		return nil
	}
	number := x.Next()
	x.Bill(studio.Charge{ID: fmt.Sprintf("lyrics-%d", number), Kind: Lyrics, Model: "lyrics", Units: 1})
	text := fmt.Sprintf("[Verse]\nThis is song number %d\nAnd it was written at once\n\n[Chorus]\nSing it, sing it again\n", number)
	if mode == studio.NoAudio {
		text = ""
	}
	x.answer(mode, map[string]any{"title": fmt.Sprintf("Song %d", number), "lyrics": text, "trace_id": x.trace()})
	return nil
}

// noteBalance remembers a refusal for want of balance, until a request is not refused for it.
func (x *exchange) noteBalance(mode studio.Mode) {
	x.sim.mu.Lock()
	defer x.sim.mu.Unlock()
	x.sim.broke = mode == studio.NoBalance
}

// The account, in tenths of a cent: what was paid in, and what songs and texts cost.
const (
	recharge    = 30_000
	songPrice   = 45
	lyricsPrice = 9
)

// billing tells what the status 429 does not: whether there is a balance left. Amounts are in whole cents.
func (x *exchange) billing() *problem {
	mode, failed := x.failsQuestion()
	if failed {
		return nil
	}
	spent := 0
	for _, c := range x.Charges() {
		if c.Kind == Lyrics {
			spent += lyricsPrice * int(c.Units)
		} else {
			spent += songPrice * int(c.Units)
		}
	}
	balance := max(recharge-spent, 0)
	x.sim.mu.Lock()
	if mode == studio.NoBalance || x.sim.broke {
		balance = 0
	}
	x.sim.mu.Unlock()
	x.answer(mode, map[string]any{"account_id": 1001, "balance": balance / 10, "total_recharge": recharge / 10, "total_spending": spent / 10,
		"concurrent_request_limit": x.concurrency()})
	return nil
}
