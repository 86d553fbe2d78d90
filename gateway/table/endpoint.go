package table

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/provider"
)

// Errors of CheckAddr.
var (
	// ErrForbiddenAddr means an address that is never connected to: link-local, metadata, multicast, unspecified.
	ErrForbiddenAddr = errors.New("link-local, metadata, multicast and unspecified addresses are never used")
	// ErrPrivateAddr means an address that allowPrivate permits.
	ErrPrivateAddr = errors.New("private and loopback addresses need allowPrivate: true")
)

// ResolveEndpoint returns the endpoint in force without a trailing slash: the given one, or the default of the provider's
// region. It does not say whether that endpoint may be used.
func ResolveEndpoint(spec *v1alpha1.ProviderCredentialSpec, providers Providers) (string, *Problem) {
	info, known := providers[spec.Provider]
	switch {
	case !known:
		return "", invalid("provider %q is not known to this version", spec.Provider)
	case spec.Endpoint != "" && spec.Region != "":
		return "", invalid("region only picks the default endpoint; remove region or endpoint")
	case spec.Endpoint != "":
		return strings.TrimRight(spec.Endpoint, "/"), nil
	case len(info.Regions) == 0:
		return "", because(v1alpha1.ReasonEndpointRequired,
			"provider %s has no default endpoint; set endpoint to the base URL, such as https://llm.example.com/v1", spec.Provider)
	case spec.Region == "":
		return strings.TrimRight(info.Regions[0].Endpoint, "/"), nil
	}
	for _, r := range info.Regions {
		if r.Name == spec.Region {
			return strings.TrimRight(r.Endpoint, "/"), nil
		}
	}
	return "", because(v1alpha1.ReasonUnknownRegion, "region %q is none of provider %s; use one of %s, or set endpoint",
		spec.Region, spec.Provider, regionNames(info.Regions))
}

// regionInForce returns the name of the region whose default endpoint is used; empty for an endpoint of the admin's own.
func regionInForce(spec *v1alpha1.ProviderCredentialSpec, providers Providers) string {
	regions := providers[spec.Provider].Regions
	if spec.Endpoint != "" || spec.Region != "" || len(regions) == 0 {
		return spec.Region
	}
	return regions[0].Name
}

// regionNames lists regions for a message.
func regionNames(regions []provider.Region) string {
	names := make([]string, len(regions))
	for i, r := range regions {
		names[i] = r.Name
	}
	return strings.Join(names, ", ")
}

// checkEndpoint parses an endpoint and says why it may not be used.
func checkEndpoint(endpoint string, spec *v1alpha1.ProviderCredentialSpec) (*url.URL, *Problem) {
	u, p := parseURL("endpoint", endpoint)
	if p != nil {
		return nil, p
	}
	if u.Scheme == "http" && !spec.AllowInsecure {
		return nil, because(v1alpha1.ReasonInsecureEndpoint,
			"endpoint is http://, which sends the credential in clear text; use https:// or set allowInsecure: true")
	}
	if err := checkHost(u.Hostname(), spec.AllowPrivate); err != nil {
		return nil, because(v1alpha1.ReasonForbiddenEndpoint, "endpoint %s: %v", u.Host, err)
	}
	return u, nil
}

// parseURL reads an absolute URL that holds nothing but scheme, host, port and path. Messages do not repeat the URL, which
// may hold a password in spite of all.
func parseURL(field, text string) (*url.URL, *Problem) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" {
		return nil, invalid("%s must be an absolute URL that begins with https:// or http://", field)
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#") {
		return nil, invalid("%s must not hold user info, a query or a fragment; put credentials into the Secret", field)
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, invalid("%s has port %s; use 1 to 65535", field, port)
		}
	}
	return u, nil
}

// checkHost applies CheckAddr to hosts that are addresses or names of this machine. Other names are for whoever dials to check,
// once they are resolved.
func checkHost(host string, allowPrivate bool) error {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		return CheckAddr(addr, allowPrivate)
	}
	if (host == "localhost" || strings.HasSuffix(host, ".localhost")) && !allowPrivate {
		return ErrPrivateAddr
	}
	// 127.1, 0x7f000001 and the like: some resolvers take them for addresses, so they would slip past the check above.
	last := host[strings.LastIndexByte(host, '.')+1:]
	if _, err := strconv.ParseUint(last, 0, 64); err == nil || (last != "" && strings.Trim(last, "0123456789") == "") {
		return errors.New("write an IPv4 address as four decimal numbers")
	}
	return nil
}

// CheckAddr says why an upstream's address must not be connected to: nil, or an error that is ErrForbiddenAddr or
// ErrPrivateAddr. IPv4 addresses within IPv6 ones are judged as what they are. 198.18.0.0/15 counts as public: local proxies
// answer every name with it.
func CheckAddr(addr netip.Addr, allowPrivate bool) error {
	addr = embedded(addr.WithZone("").Unmap())
	if forbiddenAddr(addr) {
		return ErrForbiddenAddr
	}
	if privateAddr(addr) && !allowPrivate {
		return ErrPrivateAddr
	}
	return nil
}

// forbiddenAddr says that no upstream can be there.
func forbiddenAddr(addr netip.Addr) bool {
	switch addr.String() {
	case "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254": // Metadata services that are not link-local.
		return true
	}
	if !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast() || addr.IsLinkLocalUnicast() {
		return true
	}
	// 0.0.0.0/8 is this host, 240.0.0.0/4 is reserved and ends with broadcast.
	return addr.Is4() && (addr.As4()[0] == 0 || addr.As4()[0] >= 240)
}

// privateAddr says that an address belongs to somebody's own network.
func privateAddr(addr netip.Addr) bool {
	if addr.IsPrivate() || addr.IsLoopback() {
		return true
	}
	if !addr.Is4() {
		b := addr.As16()
		return b[0] == 0xfe && b[1]&0xc0 == 0xc0 // Site-local, long deprecated.
	}
	b := addr.As4()
	return (b[0] == 100 && b[1]&0xc0 == 64) || (b[0] == 192 && b[1] == 0 && b[2] == 0) // Shared (carriers, clouds), protocol assignments.
}

// embedded returns the IPv4 address that a translator would make of an IPv6 one, or the address itself.
func embedded(addr netip.Addr) netip.Addr {
	if !addr.Is6() || addr.IsLoopback() || addr.IsUnspecified() {
		return addr
	}
	b := addr.As16()
	last := netip.AddrFrom4([4]byte(b[12:]))
	switch {
	case isPrefix(b, 0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0): // NAT64.
		return last
	case isPrefix(b, 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01): // NAT64 of a site's own.
		return last
	case isPrefix(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0): // IPv4-compatible, long deprecated.
		return last
	case isPrefix(b, 0x20, 0x02): // 6to4.
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return addr
}

// isPrefix says whether an address begins with some bytes.
func isPrefix(addr [16]byte, prefix ...byte) bool {
	return string(addr[:len(prefix)]) == string(prefix)
}
