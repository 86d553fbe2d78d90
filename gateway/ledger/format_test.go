package ledger_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kjson "sigs.k8s.io/json"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

// sample is a book with some of everything.
func sample(tb testing.TB) *ledger.Book {
	tb.Helper()
	other := entry(noon.Add(-days(1)), 1500)
	other.Model, other.Reset, other.Estimated = "deepseek-v4-pro", "2026-11", true
	released := release(3)
	released.Reset = "2026-11"
	image := ledger.Entry{Key: "shop/key-118", Model: "wan-2.7", At: noon, Requests: 1, Usage: ledger.Usage{Images: 2}}
	return book(tb, entry(noon, 400), entry(noon.Add(-days(30)), 100), other, image,
		charge(2, 70), charge(1, 70), released, reserve(4, money.Max))
}

// written is how the format writes the sample. It must never change: a new format has a new number.
const written = `{"format":1,"horizon":0,"keys":{` +
	`"shop/key-118":{"jobs":[],"models":[["wan-2.7",[20779,1,0,0,0,0,0,0,0,2]]],"spend":[],"used":1795348800},` +
	`"shop/web":{"jobs":[` +
	`["reserved","","seedance-2",20779,498756,9223372036854775807,[0,0,0,0,0,0,5],"AAAAAAAAAAAAAAAAAAAABA"],` +
	`["released","2026-11","seedance-2",20779,498756,0,[],"AAAAAAAAAAAAAAAAAAAAAw"],` +
	`["charged","","seedance-2",20779,498756,70,[0,0,0,0,0,0,5],"AAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAI"]],` +
	`"models":[["deepseek-v4-pro",[20778,1,1500,1,10,5]],["qwen3-max",[20749,1,100,0,10,5],[20779,1,400,0,10,5]]],` +
	`"spend":[["",1795348800,500,[20779,400,20749,100],[2968,400,2964,100],[682,400,681,100]],` +
	`["2026-11",1795262400,1500,[20778,1500],[2968,1500],[682,1500]]],"used":1795348800}},` +
	`"sequence":8,"shard":56,"thinned":0}`

func TestEncode_WritesTheFormat(t *testing.T) {
	if diff := cmp.Diff(strings.Split(written, ","), strings.Split(string(encode(t, sample(t), 56)), ",")); diff != "" {
		t.Errorf("the format has changed (-want +got):\n%s", diff)
	}
	const empty = `{"format":1,"horizon":0,"keys":{},"sequence":0,"shard":5,"thinned":0}`
	if got := encode(t, sample(t), 5); string(got) != empty {
		t.Errorf("an empty shard is\n%s, want\n%s", got, empty)
	}
}

func TestDecode_ReadsWhatWasWritten(t *testing.T) {
	p := decode(t, []byte(written))
	if p.Shard() != 56 || p.Sequence() != 8 {
		t.Errorf("shard %d, sequence %d", p.Shard(), p.Sequence())
	}
	again, err := ledger.OpenArchive(p, nil).Encode()
	if err != nil || string(again) != written {
		t.Errorf("read and written again:\n%s\nwant\n%s: %v", again, written, err)
	}
	if got := p.Spent(web, "", ledger.Month, noon); got != 540 {
		t.Errorf("spent %s in the month, want 540 with the charged jobs", got)
	}
	if got := p.Reserved(web, "", ledger.Month, noon); got != money.Max {
		t.Errorf("reserved %s", got)
	}
}

// A report passes the API server, which parses it and prints it again: with sorted members, integers as they are, and <, > and &
// escaped.
func TestEncode_SurvivesAnAPIServer(t *testing.T) {
	pages := map[string][]byte{"a sample": []byte(written)}
	for _, name := range []string{`"`, `\`, "<", ">", "&", "\n", "\x7f", "模型", "\u2028", "\xff", strings.Repeat("x", 10_000)} {
		e := entry(noon, money.Max)
		e.Key, e.Model, e.Reset, e.Usage.PromptTokens = "team/"+name, name, name, math.MaxInt64
		b := ledger.NewBook()
		shard := b.Settle(e).Shard
		pages[fmt.Sprintf("a name of %.20q", name)] = encode(t, b, shard)
		v := total(decode(t, encode(t, b, shard)))
		if got := v.Spent(e.Key, e.Reset, ledger.Day, noon); got != money.Max || shard != ledger.Shard(e.Key) {
			t.Errorf("%.20q has spent %s, in shard %d", name, got, shard)
		}
	}
	for name, data := range pages {
		t.Run(name, func(t *testing.T) {
			var parsed any
			if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &parsed); err != nil {
				t.Fatal(err)
			}
			printed, err := json.Marshal(parsed)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(printed, data) {
				t.Errorf("it comes back as\n%s\nwas\n%s", printed, data)
			}
			decode(t, printed)
		})
	}
}

func TestEncode_EqualContentGivesEqualBytes(t *testing.T) {
	a := book(t, entry(noon, 1), entry(noon.Add(-days(3)), 2), reserve(1, 5), reserve(2, 5))
	b := book(t, reserve(2, 5), entry(noon.Add(-days(3)), 2), reserve(1, 5), entry(noon, 1))
	if got, want := encode(t, b, 56), encode(t, a, 56); !bytes.Equal(got, want) {
		t.Errorf("in another order:\n%s\nwant\n%s", got, want)
	}
}

func TestDecode_Refuses(t *testing.T) {
	replace := func(old, with string) string {
		if !strings.Contains(written, old) {
			t.Fatalf("the sample has no %s", old)
		}
		return strings.Replace(written, old, with, 1)
	}
	tests := map[string]struct {
		data string
		want error
	}{
		"nothing":                             {"", ledger.ErrFormat},
		"an older format":                     {`{"format":0}`, ledger.ErrVersion},
		"a newer format":                      {`{"format":2,"news":true}`, ledger.ErrVersion},
		"a format that is no number":          {`{"format":"1"}`, ledger.ErrFormat},
		"more than fits":                      {strings.Repeat(" ", ledger.MaxMoneyBytes+ledger.MaxTicketBytes+1), ledger.ErrTooLarge},
		"a space":                             {replace(`,"shard"`, `, "shard"`), ledger.ErrFormat},
		"something after the end":             {written + "\n", ledger.ErrFormat},
		"a page that was cut":                 {written[:len(written)/2], ledger.ErrFormat},
		"an unknown member":                   {replace(`"horizon":0`, `"horizon":0,"more":1`), ledger.ErrFormat},
		"members in another order":            {replace(`"shard":56,"thinned":0`, `"thinned":0,"shard":56`), ledger.ErrFormat},
		"a leading zero":                      {replace(`"horizon":0`, `"horizon":00`), ledger.ErrFormat},
		"a negative number":                   {replace(`"horizon":0`, `"horizon":-1`), ledger.ErrFormat},
		"a fraction":                          {replace(`"horizon":0`, `"horizon":0.0`), ledger.ErrFormat},
		"a number that is too large":          {replace(`9223372036854775807`, `9223372036854775808`), ledger.ErrFormat},
		"a shard that does not exist":         {replace(`"shard":56`, `"shard":64`), ledger.ErrFormat},
		"keys of another shard":               {replace(`"shard":56`, `"shard":57`), ledger.ErrFormat},
		"a key without a name":                {replace(`"shop/key-118":`, `"":`), ledger.ErrFormat},
		"keys in another order":               {replace(`"shop/key-118":`, `"shop/zzz":`), ledger.ErrFormat},
		"an escape":                           {replace(`"shop/web"`, `"shop\/web"`), ledger.ErrFormat},
		"a byte that is not printable":        {replace(`"qwen3-max"`, "\"qwen3\tmax\""), ledger.ErrFormat},
		"a name that is too long":             {replace(`"qwen3-max"`, `"`+strings.Repeat("x", 129)+`"`), ledger.ErrFormat},
		"models in another order":             {replace(`"qwen3-max"`, `"a"`), ledger.ErrFormat},
		"a model without rows":                {replace(`,[20778,1,1500,1,10,5]]`, `]`), ledger.ErrFormat},
		"rows in another order":               {replace(`[20779,1,400,0,10,5]`, `[20748,1,400,0,10,5]`), ledger.ErrFormat},
		"a day twice":                         {replace(`[20779,1,400,0,10,5]`, `[20749,1,400,0,10,5]`), ledger.ErrFormat},
		"a row of nothing":                    {replace(`[20779,1,400,0,10,5]`, `[20779]`), ledger.ErrFormat},
		"a row that ends in zero":             {replace(`[20779,1,400,0,10,5]`, `[20779,1,400,0,10,5,0]`), ledger.ErrFormat},
		"a row with too many columns":         {replace(`[20779,1,400,0,10,5]`, `[20779,1,2,3,4,5,6,7,8,9,10,11,12,13]`), ledger.ErrFormat},
		"nothing spent":                       {replace(`1795262400,1500,`, `1795262400,0,`), ledger.ErrFormat},
		"nothing spent in a period":           {replace(`[20779,400,20749,100]`, `[20779,400,20749,0]`), ledger.ErrFormat},
		"periods in another order":            {replace(`[20779,400,20749,100]`, `[20749,100,20779,400]`), ledger.ErrFormat},
		"a third period":                      {replace(`[20779,400,20749,100]`, `[20779,400,20749,100,1,1]`), ledger.ErrFormat},
		"an amount without a period":          {replace(`[20779,400,20749,100]`, `[20779,400,20749]`), ledger.ErrFormat},
		"accounts in another order":           {replace(`[["",17`, `[["3",17`), ledger.ErrFormat},
		"a job's state that is none":          {replace(`["charged"`, `["refunded"`), ledger.ErrFormat},
		"jobs in another order":               {replace(`["reserved"`, `["charged"`), ledger.ErrFormat},
		"a released job that costs something": {replace(`20779,498756,0,[]`, `20779,498756,1,[]`), ledger.ErrFormat},
		"a job without a name":                {replace(`"AAAAAAAAAAAAAAAAAAAABA"`, `""`), ledger.ErrFormat},
		"a name of another size":              {replace(`"AAAAAAAAAAAAAAAAAAAABA"`, `"AAAAAAAAAAAAAAAAAAAA"`), ledger.ErrFormat},
		"a name with bits that say nothing":   {replace(`"AAAAAAAAAAAAAAAAAAAABA"`, `"AAAAAAAAAAAAAAAAAAAABB"`), ledger.ErrFormat},
		"a name with a line break":            {replace(`"AAAAAAAAAAAAAAAAAAAABA"`, "\"AAAAAAAAAAAAAAAAAAAA\nBA\""), ledger.ErrFormat},
		"a job in two groups":                 {replace(`"AAAAAAAAAAAAAAAAAAAABA"`, `"AAAAAAAAAAAAAAAAAAAAAw"`), ledger.ErrFormat},
		"names in another order": {
			replace(`AAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAI`, `AAAAAAAAAAAAAAAAAAAAAgAAAAAAAAAAAAAAAAAAAAE`), ledger.ErrFormat,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if p, err := ledger.Decode([]byte(tc.data)); !errors.Is(err, tc.want) || p != nil {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

// canonical fails if bytes are read that would be written in another way.
func canonical(t *testing.T, data []byte) {
	p, err := ledger.Decode(data)
	if err != nil {
		if !errors.Is(err, ledger.ErrFormat) && !errors.Is(err, ledger.ErrVersion) && !errors.Is(err, ledger.ErrTooLarge) {
			t.Fatalf("an error of another kind: %v", err)
		}
		return
	}
	again, err := ledger.OpenArchive(p, nil).Encode()
	if len(data) > ledger.MaxBytes && err == nil {
		return // thinned
	}
	if err != nil || !bytes.Equal(again, data) {
		t.Fatalf("%s\nis read, and written as\n%s: %v", data, again, err)
	}
}

func TestDecode_ReadsOnlyWhatWouldBeWritten(t *testing.T) {
	for i := range len(written) {
		canonical(t, []byte(written[:i]+written[i+1:]))
		for _, c := range []byte("019,[]{}\" A") {
			canonical(t, []byte(written[:i]+string(c)+written[i+1:]))
			canonical(t, []byte(written[:i]+string(c)+written[i:]))
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(written))
	f.Add([]byte(`{"format":1,"horizon":0,"keys":{},"sequence":0,"shard":5,"thinned":0}`))
	f.Add([]byte(`{"format":2}`))
	f.Add([]byte(strings.Replace(written, `]],"used":1795348800}},`, `]],"tickets":[["AAAAAAAAAAAAAAAAAAAABA",1795521600,"x"]],"used":1795348800}},`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		canonical(t, data)
		p, err := ledger.Decode(data)
		if err != nil {
			return
		}
		v := ledger.Total([]ledger.Archived{{Page: p}}, []ledger.Live{live("a", p), live("b", p)})
		v.Spent(web, "", ledger.Month, noon)
		v.History(web, time.Unix(0, 0))
		v.Overdue(noon)
		a := ledger.OpenArchive(p, []string{"a"})
		if err := a.Merge("b", p); err != nil {
			t.Fatal(err)
		}
		a.Fold(nil, noon.AddDate(1, 0, 0))
		data, err = a.Encode()
		if errors.Is(err, ledger.ErrTooLarge) {
			return
		}
		if _, again := ledger.Decode(data); err != nil || again != nil {
			t.Fatalf("what was merged and folded cannot be read: %v, %v\n%s", err, again, data)
		}
	})
}
