package ledger_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/ledger"
)

// ticketed is a running job of a key with a ticket, whose deadline is so long after noon.
func ticketed(n int, deadline time.Duration, ticket string) ledger.JobEntry {
	e := reserve(n, 5)
	e.Deadline, e.Ticket = noon.Add(deadline), ticket
	return e
}

// tickets are those of overdue jobs, in order.
func tickets(jobs []ledger.JobEntry) string {
	var all []string
	for _, j := range jobs {
		all = append(all, j.Ticket)
	}
	return strings.Join(all, " ")
}

func TestTickets_AreDueToTheSecond(t *testing.T) {
	b := book(t, ticketed(1, 90*time.Minute, "late"), ticketed(2, 10*time.Minute, "soon"), ticketed(3, 90*time.Minute, ""))
	v := total(decode(t, encode(t, b, 56)))
	for _, c := range []struct {
		after      time.Duration
		want, view string
	}{
		{10*time.Minute - time.Second, "", ""}, {10 * time.Minute, "soon", "soon"}, {90*time.Minute - time.Second, "soon", "soon"},
		{90 * time.Minute, "soon late", "soon late"}, {2 * time.Hour, "soon late", "soon late "},
	} {
		if got := tickets(b.Overdue(noon.Add(c.after))); got != c.want {
			t.Errorf("after %v the book says %q, want %q", c.after, got, c.want)
		}
		if got := tickets(v.Overdue(noon.Add(c.after))); got != c.view {
			t.Errorf("after %v the view says %q, want %q", c.after, got, c.view)
		}
	}
	if e := b.Overdue(noon.Add(time.Hour))[0]; !e.Deadline.Equal(noon.Add(10*time.Minute)) || e.Amount != 5 || e.State != ledger.JobReserved {
		t.Errorf("%+v", e)
	}
}

func TestTickets_GoWhenTheJobEnds(t *testing.T) {
	for name, end := range map[string]ledger.JobEntry{"charged": charge(1, 5), "released": release(1)} {
		t.Run(name, func(t *testing.T) {
			reserved := ticketed(1, time.Hour, "ticket")
			end.Deadline = reserved.Deadline
			for _, order := range [][]any{{reserved, end}, {end, reserved}, {reserved, end, reserved}} {
				b := book(t, order...)
				if got := b.Overdue(noon.Add(time.Hour)); got != nil || strings.Contains(string(encode(t, b, 56)), "ticket") {
					t.Errorf("still there: %+v", got)
				}
			}
			a := ledger.NewArchive(56)
			for uid, p := range map[string]*ledger.Page{"a": page(t, reserved), "b": page(t, end)} {
				if err := a.Merge(uid, p); err != nil {
					t.Fatal(err)
				}
			}
			if data, err := a.Encode(); err != nil || strings.Contains(string(data), "ticket") {
				t.Errorf("the archive still has it: %s, %v", data, err)
			}
		})
	}
}

func TestTickets_SurviveTheirReplica(t *testing.T) {
	a := ledger.NewArchive(56)
	if err := a.Merge("dead", page(t, ticketed(1, time.Hour, "ticket"))); err != nil {
		t.Fatal(err)
	}
	v := totalWith(t, a)
	if got := tickets(v.Overdue(noon.Add(time.Hour))); got != "ticket" {
		t.Errorf("the archive says %q", got)
	}
	again := ledger.NewBook()
	if err := again.Load(page(t, ticketed(1, time.Hour, "ticket"))); err != nil {
		t.Fatal(err)
	}
	if got := tickets(again.Overdue(noon.Add(time.Hour))); got != "ticket" {
		t.Errorf("after a restart the book says %q", got)
	}
	a.Fold(nil, noon.Add(time.Hour+ledger.Keep+ledger.Slack+time.Hour))
	if v := totalWith(t, a); len(v.Overdue(noon.Add(days(30)))) != 0 || v.Spent(web, "", ledger.Lifetime, noon) != 5 {
		t.Error("after it was folded it is still open, or not charged")
	}
}

func TestTickets_OfOneJobAreOneWhateverTheOrder(t *testing.T) {
	x, y := ticketed(1, time.Hour, "x"), ticketed(1, time.Hour, "y")
	if a, b := encode(t, book(t, x, y), 56), encode(t, book(t, y, x), 56); tickets(book(t, x, y).Overdue(noon.Add(time.Hour))) != "y" ||
		tickets(book(t, y, x).Overdue(noon.Add(time.Hour))) != "y" || len(a) != len(b) {
		t.Errorf("%s\n%s", a, b)
	}
	for _, bad := range []string{"\n", `"`, strings.Repeat("x", ledger.MaxTicket+1)} {
		if got := book(t, ticketed(1, time.Hour, bad)).Overdue(noon.Add(time.Hour)); got != nil {
			t.Errorf("a ticket %.10q is kept", bad)
		}
	}
}

func TestTickets_HaveTheirOwnRoom(t *testing.T) {
	text := strings.Repeat("x", 400)
	b := ledger.NewBook()
	for i := range 2000 {
		if _, err := b.Job(ticketed(i, time.Hour+time.Duration(i)*time.Second, fmt.Sprint(text, i))); err != nil {
			t.Fatal(err)
		}
	}
	for day := range 60 {
		for model := range 60 {
			e := entry(noon.Add(-days(day)), 1)
			e.Model = fmt.Sprint("model-", model)
			b.Settle(e)
		}
	}
	without := ledger.NewBook()
	for i := range 2000 {
		e := ticketed(i, time.Hour+time.Duration(i)*time.Second, "")
		if _, err := without.Job(e); err != nil {
			t.Fatal(err)
		}
	}
	data := encode(t, b, 56)
	if len(data) > ledger.MaxBytes+ledger.MaxTicketBytes {
		t.Errorf("%d bytes", len(data))
	}
	v := total(decode(t, data))
	first := 0
	for i, e := range v.Overdue(noon.Add(days(1))) {
		if e.Ticket == "" {
			break
		}
		if first = i + 1; !strings.HasSuffix(e.Ticket, fmt.Sprint("x", i)) {
			t.Fatalf("job %d has ticket …%s", i, e.Ticket[400:])
		}
	}
	if first < 250 || first > 300 {
		t.Errorf("the first %d jobs have tickets", first)
	}
	if n := len(b.Overdue(noon.Add(days(1)))); n != 2000 {
		t.Errorf("the book itself has %d", n)
	}
	if h := v.History(web, noon.Add(-days(100))); len(h.Rows) < 1000 {
		t.Errorf("tickets have driven out history: %d rows are left", len(h.Rows))
	}
}

func TestDecode_RefusesTicketsOutOfPlace(t *testing.T) {
	good := string(encode(t, book(t, ticketed(1, time.Hour, "x"), ticketed(2, time.Hour, "y")), 56))
	const first = `["AAAAAAAAAAAAAAAAAAAAAQ",1795352400,"x"]`
	if !strings.Contains(good, `,"tickets":[`+first+`,["AAAAAAAAAAAAAAAAAAAAAg",`) {
		t.Fatalf("the format has changed: %s", good)
	}
	for name, bad := range map[string]string{
		"twice":           strings.Replace(good, first, first+","+first, 1),
		"none":            strings.Replace(good, `],"spend":`, `],"tickets":[],"spend":`, 1),
		"empty":           strings.Replace(good, `"x"]`, `""]`, 1),
		"of no job":       strings.Replace(good, first, `["AAAAAAAAAAAAAAAAAAAAAA",1795352400,"x"]`, 1),
		"of an ended job": strings.Replace(good, `"reserved"`, `"charged"`, 1),
		"of a short name": strings.Replace(good, first, `["AAAA",1795352400,"x"]`, 1),
	} {
		if _, err := ledger.Decode([]byte(bad)); err == nil || bad == good {
			t.Errorf("%s: taken", name)
		}
	}
}
