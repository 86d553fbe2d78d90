package demo

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// forwardedFor is the header that proxies append the address to which connected to them. What stands in front of the entries of the
// trusted ones was sent by the client, and may be anything.
const forwardedFor = "X-Forwarded-For"

// clientBits is how much of an IPv6 address tells clients apart: a subscriber has at least a /64 to choose addresses from.
const clientBits = 64

// Client returns what a client is told apart by: its IPv4 address, or the /64 of its IPv6 address. Hops is how many proxies in front
// append to X-Forwarded-For; the address is that many entries from the header's end. With 0 hops, or if there is no address at that
// place, it is the one that connects, which nobody can choose.
func Client(r *http.Request, hops int) string {
	peer := r.RemoteAddr
	if host, _, err := net.SplitHostPort(peer); err == nil {
		peer = host
	}
	if hops > 0 {
		if entry, ok := fromEnd(r.Header.Values(forwardedFor), hops); ok {
			if name, ok := client(entry); ok {
				return name
			}
		}
	}
	if name, ok := client(peer); ok {
		return name
	}
	return "unknown" // connections without addresses are one client
}

// fromEnd returns the n-th entry from the end of a list that may be spread over several header lines.
func fromEnd(lines []string, n int) (string, bool) {
	for _, rest := range slices.Backward(lines) {
		for more := true; more; n-- {
			comma := strings.LastIndexByte(rest, ',')
			entry := strings.TrimSpace(rest[comma+1:])
			if n == 1 {
				return entry, true
			}
			if more = comma >= 0; more {
				rest = rest[:comma]
			}
		}
	}
	return "", false
}

// client reads an address, with or without a port, as proxies write it.
func client(text string) (string, bool) {
	if p, err := netip.ParseAddrPort(text); err == nil {
		return nameOf(p.Addr()), true
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	a, err := netip.ParseAddr(text)
	if err != nil {
		return "", false
	}
	return nameOf(a), true
}

// nameOf is what tells a client apart.
func nameOf(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, clientBits).Masked().String()
}
