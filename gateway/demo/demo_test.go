package demo_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"vipcloud.ai/vipcloud/gateway/demo"
)

func TestClient_whatAClientSendsDoesNotCount(t *testing.T) {
	const peer = "10.0.0.9:4711"
	for name, tc := range map[string]struct {
		hops    int
		remote  string
		headers []string
		want    string
	}{
		"who connects":                          {0, "203.0.113.5:80", nil, "203.0.113.5"},
		"the header does not count":             {0, "203.0.113.5:80", []string{"198.51.100.1"}, "203.0.113.5"},
		"one proxy":                             {1, peer, []string{"198.51.100.1"}, "198.51.100.1"},
		"one proxy, and a client that invents":  {1, peer, []string{"1.1.1.1, 2.2.2.2, 198.51.100.1"}, "198.51.100.1"},
		"two proxies":                           {2, peer, []string{"1.1.1.1, 198.51.100.1, 10.0.0.8"}, "198.51.100.1"},
		"two proxies that write lines":          {2, peer, []string{"1.1.1.1", "198.51.100.1", "10.0.0.8"}, "198.51.100.1"},
		"two proxies, lines and commas":         {3, peer, []string{"1.1.1.1,198.51.100.1", "10.0.0.7 , 10.0.0.8"}, "198.51.100.1"},
		"fewer entries than proxies":            {3, peer, []string{"198.51.100.1"}, "10.0.0.9"},
		"no header":                             {1, peer, nil, "10.0.0.9"},
		"an empty header":                       {1, peer, []string{""}, "10.0.0.9"},
		"no address":                            {1, peer, []string{"unknown"}, "10.0.0.9"},
		"a huge header":                         {1, peer, []string{fmt.Sprintf("%02000d, 198.51.100.1", 1)}, "198.51.100.1"},
		"with a port":                           {1, peer, []string{"198.51.100.1:9999"}, "198.51.100.1"},
		"IPv6":                                  {1, peer, []string{"2001:db8:1:2:3:4:5:6"}, "2001:db8:1:2::/64"},
		"IPv6 with a port":                      {1, peer, []string{"[2001:db8:1:2:ffff::]:443"}, "2001:db8:1:2::/64"},
		"IPv6 in brackets":                      {1, peer, []string{"[2001:db8:1:2::9]"}, "2001:db8:1:2::/64"},
		"IPv6 of another network":               {1, peer, []string{"2001:db8:1:3::1"}, "2001:db8:1:3::/64"},
		"who connects by IPv6":                  {0, "[2001:db8:1:2::9%eth0]:1", nil, "2001:db8:1:2::/64"},
		"IPv4 that is written as IPv6":          {0, "[::ffff:203.0.113.5]:80", nil, "203.0.113.5"},
		"IPv4 that a proxy has written as IPv6": {1, peer, []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		"no address at all":                     {1, "@", nil, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: tc.remote, Header: http.Header{"X-Forwarded-For": tc.headers}}
			if got := demo.Client(r, tc.hops); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestClients_areBounded(t *testing.T) {
	var c demo.Clients
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	entered := 0
	for i := range 100_000 {
		if _, ok := c.Enter(fmt.Sprintf("2001:db8:%x::/64", i), 50, now); ok {
			entered++
		}
	}
	if entered != 50 || c.Len(now) != 50 {
		t.Errorf("%d entered, %d are there", entered, c.Len(now))
	}
	now = now.Add(20 * time.Second)
	if _, ok := c.Enter("2001:db8:7::/64", 50, now); !ok {
		t.Error("one that is there is kept out")
	}
	if wait, ok := c.Enter("late", 50, now); ok || wait != 40*time.Second {
		t.Errorf("one too many: %v, wait %s", ok, wait)
	}
	now = now.Add(40 * time.Second)
	if _, ok := c.Enter("late", 50, now); !ok || c.Len(now) != 2 {
		t.Errorf("after a minute: %v, %d are there", ok, c.Len(now))
	}
	if now = now.Add(time.Minute); c.Len(now) != 0 {
		t.Errorf("%d are there although nobody came", c.Len(now))
	}
}
