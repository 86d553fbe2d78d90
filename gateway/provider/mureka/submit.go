package mureka

import (
	"context"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// taskStep is a call on the way to a task.
type taskStep = provider.Step[provider.Task]

// SubmitMusic implements provider.Music. The number of songs is always said, for each is billed and the vendor makes two by default.
//
// A song without lyrics takes two calls, both of which are paid. If it stays open whether the first one has written a text, there
// is no song, and there never will be one: still nothing is repeated, for the text may have been billed. If the second one is
// refused, the text is lost with it.
func (music) SubmitMusic(ctx context.Context, up *provider.Upstream, in *provider.MusicRequest) (*provider.Submission, error) {
	m := modelOf(up.Model)
	if err := m.check(in); err != nil {
		return nil, err
	}
	prompt, warnings := hinted(in)
	o := &order{up: up, model: m.id, prompt: prompt, lyrics: in.Lyrics, n: in.N, kind: kindSong}
	if in.Instrumental {
		o.kind = kindInstrumental
	}
	step, err := o.first(ctx)
	if err != nil {
		return nil, err
	}
	return &provider.Submission{Step: step, Billing: billing(o.body()), Warnings: warnings}, nil
}

// order is what is to be made.
type order struct {
	up                          *provider.Upstream
	kind, model, prompt, lyrics string
	n                           int
}

// first returns the call that makes the task, or the one that writes the lyrics before it.
func (o *order) first(ctx context.Context) (*taskStep, error) {
	if o.kind == kindSong && blank(o.lyrics) {
		return o.write(ctx)
	}
	return o.generate(ctx)
}

// body is what a task is made from. The admin's changes concern this call, not the one that writes lyrics.
func (o *order) body() provider.Body {
	b := provider.Body{"model": o.model, "n": o.n}
	if !blank(o.prompt) {
		b["prompt"] = o.prompt
	}
	if !blank(o.lyrics) {
		b["lyrics"] = o.lyrics
	}
	o.up.Parameters.Override(b)
	return b
}

// generate returns the call that makes the task.
func (o *order) generate(ctx context.Context) (*taskStep, error) {
	req, err := newCall(ctx, http.MethodPost, doorOf(o.up).generate(o.kind), o.up, o.body())
	if err != nil {
		return nil, err
	}
	read := func(r *provider.Response) (provider.Task, *taskStep, error) {
		content, err := readContent(r)
		if err != nil {
			return provider.Task{}, nil, err
		}
		id := identifier(content)
		if id == "" {
			return provider.Task{}, nil, provider.BadResponse(r.Status, "no_task_id", "The answer has no id of a task.")
		}
		return provider.Task{ID: id, State: o.kind}, nil, nil
	}
	return &taskStep{Request: req, Paid: true, Read: read}, nil
}

// write returns the call that writes the lyrics, after which comes the one that makes the song.
func (o *order) write(ctx context.Context) (*taskStep, error) {
	req, err := newCall(ctx, http.MethodPost, doorOf(o.up).generate(kindLyrics), o.up, provider.Body{"prompt": o.prompt})
	if err != nil {
		return nil, err
	}
	read := func(r *provider.Response) (provider.Task, *taskStep, error) {
		content, err := readContent(r)
		if err != nil {
			return provider.Task{}, nil, err
		}
		sung := *o
		if sung.lyrics = content.Get("lyrics").Str; blank(sung.lyrics) {
			return provider.Task{}, nil, provider.BadResponse(r.Status, "no_lyrics", "The answer has no lyrics.")
		}
		next, err := sung.generate(ctx)
		return provider.Task{}, next, err
	}
	return &taskStep{Request: req, Paid: true, Read: read}, nil
}

// billing is what a task costs by its body, in which the admin has had the last word: a number that was dropped is the vendor's
// default.
func billing(b provider.Body) provider.Billing {
	const byDefault = 2
	if n := member(b, "n").Int(); n > 0 {
		return provider.Billing{Songs: n}
	}
	return provider.Billing{Songs: byDefault}
}

// identifier returns the id of a task, which Skywork calls by one of two names; "" if there is none.
func identifier(content gjson.Result) string {
	for _, name := range [...]string{"id", "task_id"} {
		if v := content.Get(name); v.Type == gjson.String || v.Type == gjson.Number {
			if id := v.String(); identity.MatchString(id) {
				return id
			}
		}
	}
	return ""
}

// blank says that a text says nothing.
func blank(s string) bool { return strings.TrimSpace(s) == "" }
