package mureka

import (
	"net/http"
	"net/url"
)

// skyworkPath is the only path of that door; a query parameter says what is wanted.
const skyworkPath = "/api/v1/music"

// gateway finds what a request to Skywork means. Parameters beside the documented ones are refused.
func (x *exchange) gateway() *problem {
	values, err := url.ParseQuery(x.R.URL.RawQuery)
	if err != nil || len(values["action"]) != 1 {
		return invalid("one action is required")
	}
	x.action = values.Get("action")
	switch x.action {
	case "song_generate", "instrumental_generate", "lyrics_generate":
		if len(values) != 1 {
			return invalid("action is the only parameter")
		}
		return x.on(http.MethodPost, x.start)
	case "song_query", "instrumental_query":
		if len(values) != 2 || len(values["task_id"]) != 1 {
			return invalid("action and one task_id are the only parameters")
		}
		k := song
		if x.action == "instrumental_query" {
			k = instrumental
		}
		return x.on(http.MethodGet, func() *problem { return x.query(k, values.Get("task_id")) })
	}
	return invalid("the action is unknown: %s", x.action)
}

func (x *exchange) start() *problem {
	switch x.action {
	case "song_generate":
		return x.generate(song)
	case "instrumental_generate":
		return x.generate(instrumental)
	}
	return x.lyrics()
}

// wrap puts an answer into Skywork's envelope. The documentation calls its content resp_data in one place and data in another,
// and a task's id once id and once task_id: the four forms take turns, for each action on its own.
func (x *exchange) wrap(document map[string]any) map[string]any {
	x.sim.mu.Lock()
	turn := x.sim.envelope[x.action]
	x.sim.envelope[x.action]++
	x.sim.mu.Unlock()
	if id, ok := document["id"]; ok && turn/2%2 == 1 {
		delete(document, "id")
		document["task_id"] = id
	}
	content := "resp_data"
	if turn%2 == 1 {
		content = "data"
	}
	trace := document["trace_id"]
	delete(document, "trace_id")
	return map[string]any{"code": 0, "message": "success", "trace_id": trace, content: document}
}

// answersInside200 tells that errors travel with status 200.
func (x *exchange) answersInside200() bool {
	x.sim.mu.Lock()
	defer x.sim.mu.Unlock()
	return x.skywork && x.sim.flat
}
