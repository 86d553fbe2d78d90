package redisquota

import (
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/quota"
)

//go:embed ask.lua
var askSource string

//go:embed hello.lua
var helloSource string

// scriptsOf are the scripts of a bucket. Each has its own, because what a server has in memory of them alone tells that it is the same
// process as before: a server that was restarted, or has taken the place of another, has no scripts. The greeting is sent again then, and
// begins a new epoch; the question is sent again after that, never before.
func scriptsOf(tag string) (ask, hello *redis.Script) {
	return redis.NewScript(askSource + "-- " + tag + "\n"), redis.NewScript(helloSource + "-- " + tag + "\n")
}

// row is a quota.Row as scripts read and write it. Amounts are decimal texts, since numbers of Lua have 15 digits.
type row struct {
	Minute   int64             `json:"minute"`
	Requests [2]int64          `json:"requests"`
	Tokens   [2]int64          `json:"tokens"`
	Running  int64             `json:"running"`
	Reserved string            `json:"reserved"`
	Report   string            `json:"report"`
	Own      map[string]string `json:"own"`
}

// line is a quota.Line.
type line struct {
	ID     string            `json:"id"`
	Amount string            `json:"amount"`
	Read   string            `json:"read"`
	Pages  map[string]string `json:"pages"`
}

// ask is a quota.Ask.
type ask struct {
	Tokens int64  `json:"tokens"`
	Cost   string `json:"cost"`
}

// question is what ask.lua gets. Times are in milliseconds.
type question struct {
	Epoch   string `json:"epoch"`
	Fresh   string `json:"fresh"`
	Replica string `json:"replica"`
	Lease   int64  `json:"lease"`
	Silence int64  `json:"silence"`
	Keep    int64  `json:"keep"`
	// Number counts questions. The row that Redis has must be one that was acknowledged, or a later one.
	Number            int64 `json:"number"`
	Acknowledged      int64 `json:"acknowledged"`
	SpaceAcknowledged int64 `json:"space_acknowledged"`
	// Left is what is left of the minute.
	Left              int64  `json:"left"`
	Forget            bool   `json:"forget"`
	Row               row    `json:"row"`
	SpaceRow          row    `json:"space_row"`
	RequestsPerMinute int64  `json:"requests_per_minute"`
	TokensPerMinute   int64  `json:"tokens_per_minute"`
	Concurrent        int64  `json:"concurrent"`
	Budgets           []line `json:"budgets,omitempty"`
	SpaceBudgets      []line `json:"space_budgets,omitempty"`
	Asks              []ask  `json:"asks,omitempty"`
}

// answer is what ask.lua says. States: ok, epoch (another one than the question's), unsettled, late (a later question was faster).
type answer struct {
	State    string    `json:"state"`
	Verdicts []verdict `json:"verdicts"`
}

// verdict is a quota.Verdict.
type verdict struct {
	Reason   quota.Reason `json:"reason"`
	Budget   int          `json:"budget"`
	Space    bool         `json:"space"`
	Spent    string       `json:"spent"`
	Requests [2]int64     `json:"requests"`
	Tokens   [2]int64     `json:"tokens"`
}

// greeting is what hello.lua gets. Times are in milliseconds.
type greeting struct {
	Replica string `json:"replica"`
	// Fresh names the next epoch, if this greeting begins one; Told is the one in which this replica has told everything.
	Fresh        string `json:"fresh"`
	Told         string `json:"told"`
	Greeting     int64  `json:"greeting"`
	Acknowledged int64  `json:"acknowledged"`
	Replicas     int    `json:"replicas"`
	// Lost says that the server is another process than the one that was told.
	Lost     bool  `json:"lost"`
	Lease    int64 `json:"lease"`
	Patience int64 `json:"patience"`
	Longest  int64 `json:"longest"`
}

// state is what hello.lua says.
type state struct {
	Epoch   string `json:"epoch"`
	Settled bool   `json:"settled"`
}

// text is an amount as scripts read it: not below zero.
func text(a money.Amount) string { return strconv.FormatInt(int64(max(a, 0)), 10) }

// texts are amounts as scripts read them. It is never nil, which Lua could not index.
func texts(amounts map[string]money.Amount) map[string]string {
	all := make(map[string]string, len(amounts))
	for name, a := range amounts {
		if a > 0 {
			all[name] = text(a)
		}
	}
	return all
}

// rowOf is a row for scripts.
func rowOf(r *quota.Row) row {
	return row{
		Minute: r.Minute, Requests: r.Requests, Tokens: r.Tokens, Running: r.Running, Reserved: text(r.Reserved), Report: r.Report, Own: texts(r.Own),
	}
}

// linesOf are lines for scripts.
func linesOf(lines []quota.Line) []line {
	var all []line
	for _, l := range lines {
		all = append(all, line{ID: l.ID, Amount: text(l.Amount), Read: text(l.Read), Pages: texts(l.Pages)})
	}
	return all
}

// questionOf is a question for the script.
func questionOf(q *quota.Question) question {
	wire := question{
		Left: int64((time.Minute - q.At.Sub(q.At.Truncate(time.Minute))) / time.Millisecond), Forget: q.Forget,
		Row: rowOf(&q.Row), SpaceRow: rowOf(&q.SpaceRow),
		RequestsPerMinute: q.RequestsPerMinute, TokensPerMinute: q.TokensPerMinute, Concurrent: q.Concurrent,
		Budgets: linesOf(q.Budgets), SpaceBudgets: linesOf(q.SpaceBudgets),
	}
	for _, a := range q.Asks {
		wire.Asks = append(wire.Asks, ask{Tokens: a.Tokens, Cost: text(a.Cost)})
	}
	return wire
}

// verdictsOf are the verdicts of an answer to so many asks.
func (a *answer) verdictsOf(asks int) ([]quota.Verdict, error) {
	if len(a.Verdicts) != asks {
		return nil, fmt.Errorf("reading the answer: %d verdicts for %d asks", len(a.Verdicts), asks)
	}
	all := make([]quota.Verdict, 0, asks)
	for _, v := range a.Verdicts {
		spent := int64(0)
		if v.Spent != "" {
			var err error
			if spent, err = strconv.ParseInt(v.Spent, 10, 64); err != nil {
				return nil, fmt.Errorf("reading the answer: %w", err)
			}
		}
		all = append(all, quota.Verdict{
			Reason: v.Reason, Budget: v.Budget, Space: v.Space, Spent: money.Amount(spent), Requests: v.Requests, Tokens: v.Tokens,
		})
	}
	return all, nil
}
