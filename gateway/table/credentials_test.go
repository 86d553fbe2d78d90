package table_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

type credentialSpec = func(*v1alpha1.ProviderCredentialSpec)

// endpoint sets an endpoint.
func endpoint(text string) credentialSpec {
	return func(s *v1alpha1.ProviderCredentialSpec) { s.Endpoint = text }
}

// private and insecure permit what is not permitted by default.
func private(s *v1alpha1.ProviderCredentialSpec)  { s.AllowPrivate = true }
func insecure(s *v1alpha1.ProviderCredentialSpec) { s.AllowInsecure = true }

// vendor sets provider and region.
func vendor(p v1alpha1.Provider, region string) credentialSpec {
	return func(s *v1alpha1.ProviderCredentialSpec) { s.Provider, s.Region = p, region }
}

// headers sets one header.
func headers(name, value string) credentialSpec {
	return func(s *v1alpha1.ProviderCredentialSpec) {
		s.Headers = map[string]v1alpha1.HeaderValue{name: v1alpha1.HeaderValue(value)}
	}
}

// proxy sets a proxy.
func proxy(text string) credentialSpec {
	return func(s *v1alpha1.ProviderCredentialSpec) { s.Proxy = &v1alpha1.UpstreamProxy{URL: text} }
}

func TestCheckCredential_Accepted(t *testing.T) {
	tests := map[string]struct {
		change       []credentialSpec
		wantEndpoint string // empty: refused
		want         string
		wantPart     string
	}{
		"the only region": {nil, "https://api.deepseek.com", "True Accepted", "https://api.deepseek.com"},
		"the first of several regions, without its slash": {[]credentialSpec{vendor("Qwen", "")}, "https://cn.qwen.test", "True Accepted", ""},
		"a region":                      {[]credentialSpec{vendor("Qwen", "intl")}, "https://intl.qwen.test", "True Accepted", ""},
		"an unknown region":             {[]credentialSpec{vendor("Qwen", "us")}, "", "False/invalid UnknownRegion", `region "us" is none of provider Qwen; use one of cn, intl`},
		"a region beside an endpoint":   {[]credentialSpec{vendor("Qwen", "cn"), endpoint("https://x.test")}, "", "False/invalid Invalid", "remove region or endpoint"},
		"a provider of another version": {[]credentialSpec{vendor("NewOne", "")}, "", "False/invalid Invalid", `provider "NewOne"`},
		"a provider without a default":  {[]credentialSpec{vendor("OpenAI", "")}, "", "False/invalid EndpointRequired", "set endpoint"},
		"an endpoint":                   {[]credentialSpec{vendor("OpenAI", ""), endpoint("https://llm.test:8443/a/v1")}, "https://llm.test:8443/a/v1", "True Accepted", ""},
		"slashes at the end":            {[]credentialSpec{endpoint("https://llm.test/v1///")}, "https://llm.test/v1", "True Accepted", ""},
		"plain HTTP":                    {[]credentialSpec{endpoint("http://llm.test")}, "", "False/invalid InsecureEndpoint", "allowInsecure"},
		"plain HTTP, permitted":         {[]credentialSpec{endpoint("http://llm.test"), insecure}, "http://llm.test", "True Accepted", ""},
		"capital letters in the scheme are no way around": {[]credentialSpec{endpoint("HTTP://llm.test")}, "", "False/invalid InsecureEndpoint", ""},
		"another scheme":                        {[]credentialSpec{endpoint("ftp://llm.test")}, "", "False/invalid Invalid", "https://"},
		"no scheme":                             {[]credentialSpec{endpoint("llm.test/v1")}, "", "False/invalid Invalid", "https://"},
		"no host":                               {[]credentialSpec{endpoint("https:///v1")}, "", "False/invalid Invalid", "absolute"},
		"only slashes":                          {[]credentialSpec{endpoint("https://///")}, "", "False/invalid Invalid", "absolute"},
		"a port beyond the last":                {[]credentialSpec{endpoint("https://llm.test:65536")}, "", "False/invalid Invalid", "port 65536"},
		"port zero":                             {[]credentialSpec{endpoint("https://llm.test:0")}, "", "False/invalid Invalid", "port 0"},
		"user info":                             {[]credentialSpec{endpoint("https://u:hunter2@llm.test")}, "", "False/invalid Invalid", "user info"},
		"a query":                               {[]credentialSpec{endpoint("https://llm.test/?k=hunter2")}, "", "False/invalid Invalid", "query"},
		"an empty query":                        {[]credentialSpec{endpoint("https://llm.test?")}, "", "False/invalid Invalid", "query"},
		"a fragment":                            {[]credentialSpec{endpoint("https://llm.test/#")}, "", "False/invalid Invalid", "fragment"},
		"a line break":                          {[]credentialSpec{endpoint("https://llm.test/\nX")}, "", "False/invalid Invalid", "absolute"},
		"a private address":                     {[]credentialSpec{endpoint("https://10.1.2.3/v1")}, "", "False/invalid ForbiddenEndpoint", "allowPrivate"},
		"a private address, permitted":          {[]credentialSpec{endpoint("https://10.1.2.3/v1"), private}, "https://10.1.2.3/v1", "True Accepted", ""},
		"loopback":                              {[]credentialSpec{endpoint("https://[::1]:1/v1")}, "", "False/invalid ForbiddenEndpoint", "allowPrivate"},
		"loopback, permitted":                   {[]credentialSpec{endpoint("http://[::1]:1/v1"), private, insecure}, "http://[::1]:1/v1", "True Accepted", ""},
		"localhost":                             {[]credentialSpec{endpoint("https://LocalHost./v1")}, "", "False/invalid ForbiddenEndpoint", "allowPrivate"},
		"below localhost":                       {[]credentialSpec{endpoint("https://a.localhost")}, "", "False/invalid ForbiddenEndpoint", "allowPrivate"},
		"localhost, permitted":                  {[]credentialSpec{endpoint("https://localhost/v1"), private}, "https://localhost/v1", "True Accepted", ""},
		"a name that only looks like localhost": {[]credentialSpec{endpoint("https://notlocalhost")}, "https://notlocalhost", "True Accepted", ""},
		"metadata, whatever is permitted":       {[]credentialSpec{endpoint("http://169.254.169.254/v1"), private, insecure}, "", "False/invalid ForbiddenEndpoint", "never"},
		"link-local with a zone":                {[]credentialSpec{endpoint("https://[fe80::1%25eth0]/v1"), private}, "", "False/invalid ForbiddenEndpoint", "never"},
		"IPv4 within IPv6":                      {[]credentialSpec{endpoint("https://[::ffff:169.254.169.254]"), private}, "", "False/invalid ForbiddenEndpoint", "never"},
		"a short spelling of loopback":          {[]credentialSpec{endpoint("https://127.1")}, "", "False/invalid ForbiddenEndpoint", "four decimal"},
		"one number":                            {[]credentialSpec{endpoint("https://2130706433"), private}, "", "False/invalid ForbiddenEndpoint", "four decimal"},
		"hexadecimal":                           {[]credentialSpec{endpoint("https://0x7f.0.0.0x1"), private}, "", "False/invalid ForbiddenEndpoint", "four decimal"},
		"octal":                                 {[]credentialSpec{endpoint("https://0177.0.0.01")}, "", "False/invalid ForbiddenEndpoint", "four decimal"},
		"digits that are not octal":             {[]credentialSpec{endpoint("https://127.0.0.09")}, "", "False/invalid ForbiddenEndpoint", "four decimal"},
		"a header":                              {[]credentialSpec{headers("x-team", "a b~")}, "https://api.deepseek.com", "True Accepted", ""},
		"an empty header":                       {[]credentialSpec{headers("X-Team", "")}, "https://api.deepseek.com", "True Accepted", ""},
		"a header of the gateway's":             {[]credentialSpec{headers("AUTHORIZATION", "hunter2")}, "", "False/invalid Invalid", "must not set AUTHORIZATION"},
		"a header of the connection":            {[]credentialSpec{headers("Transfer-Encoding", "chunked")}, "", "False/invalid Invalid", "must not set"},
		"a header that is no name":              {[]credentialSpec{headers("X Team", "a")}, "", "False/invalid Invalid", "letters, digits and dashes"},
		"a header without a name":               {[]credentialSpec{headers("", "a")}, "", "False/invalid Invalid", "letters, digits and dashes"},
		"a header with a long name":             {[]credentialSpec{headers(strings.Repeat("x", 65), "a")}, "", "False/invalid Invalid", "at most 64"},
		"a header that makes two":               {[]credentialSpec{headers("X-Team", "hunter2\r\nX-Admin: 1")}, "", "False/invalid Invalid", "printable"},
		"a header beyond ASCII":                 {[]credentialSpec{headers("X-Team", "ü")}, "", "False/invalid Invalid", "printable"},
		"a header with a long value":            {[]credentialSpec{headers("X-Team", strings.Repeat("x", 513))}, "", "False/invalid Invalid", "at most 512"},
		"a header in two spellings": {[]credentialSpec{func(s *v1alpha1.ProviderCredentialSpec) {
			s.Headers = map[string]v1alpha1.HeaderValue{"X-Team": "", "x-team": "b"}
		}}, "", "False/invalid Invalid", "twice"},
		"a proxy":                            {[]credentialSpec{proxy("http://10.0.0.1:3128")}, "https://api.deepseek.com", "True Accepted", ""},
		"a proxy with user info":             {[]credentialSpec{proxy("http://u:hunter2@proxy.test")}, "", "False/invalid Invalid", "proxy.url must not hold user info"},
		"a proxy of another kind":            {[]credentialSpec{proxy("socks5://proxy.test")}, "", "False/invalid Invalid", "proxy.url"},
		"a proxy where no upstream may be":   {[]credentialSpec{proxy("http://169.254.169.254")}, "", "False/invalid ForbiddenEndpoint", "proxy.url"},
		"namespaces that nobody can mean":    {[]credentialSpec{allow(v1alpha1.NamespaceSelection{From: "Some"})}, "", "False/invalid Invalid", "allowedNamespaces.from"},
		"namespaces by a selector's mistake": {[]credentialSpec{allow(selector("a b", "c"))}, "", "False/invalid Invalid", "allowedNamespaces.selector"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			credential := makeCredential("shop", "cred", tc.change...)
			got, findings := table.CheckCredential(credential, ready(), providers())
			status, message := finding(findings, table.KindProviderCredential, "shop", "cred", v1alpha1.ConditionAccepted)
			if status != tc.want || !strings.Contains(message, tc.wantPart) {
				t.Errorf("got %q (%s), want %q (%s)", status, message, tc.want, tc.wantPart)
			}
			if strings.Contains(fmt.Sprint(findings), "hunter2") {
				t.Errorf("the findings quote what may be secret: %v", findings)
			}
			if (got != nil) != (tc.wantEndpoint != "") {
				t.Fatalf("got %v", got)
			}
			if got != nil && (got.Endpoint != tc.wantEndpoint || got.URL.String() != tc.wantEndpoint) {
				t.Errorf("the endpoint is %s (%s), want %s", got.Endpoint, got.URL, tc.wantEndpoint)
			}
		})
	}
}

func TestCheckCredential_ResolvedRefs(t *testing.T) {
	entries := func(pairs ...string) table.CredentialState {
		state := table.CredentialState{Entries: map[string]table.Secret{}}
		for i := 0; i < len(pairs); i += 2 {
			state.Entries[pairs[i]] = table.NewSecret(pairs[i+1])
		}
		return state
	}
	tests := map[string]struct {
		provider v1alpha1.Provider
		state    table.CredentialState
		want     string
		wantPart string
	}{
		"everything is there":                           {"DeepSeek", entries("api-key", "k"), "True ResolvedRefs", ""},
		"more than is needed":                           {"DeepSeek", entries("api-key", "k", "x", "\n"), "True ResolvedRefs", ""},
		"nobody looked into the Secret":                 {"DeepSeek", table.CredentialState{}, "True ResolvedRefs", ""},
		"the Secret is empty":                           {"DeepSeek", entries(), "False/missing SecretEntryMissing", `Secret "secret" lacks what provider DeepSeek needs: api-key`},
		"the entry is empty":                            {"DeepSeek", entries("api-key", ""), "False/missing SecretEntryMissing", "api-key"},
		"several entries are missing":                   {"Spark", entries("api-key", "k"), "False/missing SecretEntryMissing", "needs: app-id and access-token;"},
		"one of several is missing":                     {"Spark", entries("app-id", "k"), "False/missing SecretEntryMissing", "needs: access-token;"},
		"the first alternative is there":                {"Kling", entries("api-key", "k"), "True ResolvedRefs", ""},
		"the second alternative is there":               {"Kling", entries("access-key", "a", "secret-key", "s"), "True ResolvedRefs", ""},
		"no alternative is there":                       {"Kling", entries("app-id", "k"), "False/missing SecretEntryMissing", "needs: api-key, or access-key and secret-key; add it"},
		"half of an alternative is there":               {"Kling", entries("access-key", "a"), "False/missing SecretEntryMissing", "needs: api-key, or access-key and secret-key; add it"},
		"the alternative that counts is no good":        {"Kling", entries("api-key", "hunter2\n", "access-key", "a", "secret-key", "s"), "False/invalid Invalid", "entry api-key"},
		"an alternative that does not count is no good": {"Kling", entries("api-key", "k", "access-key", "hunter2\n"), "True ResolvedRefs", ""},
		"half of an alternative, and no good":           {"Kling", entries("secret-key", "hunter2\n"), "False/invalid Invalid", "entry secret-key"},
		"a line break at the end":                       {"DeepSeek", entries("api-key", "hunter2\n"), "False/invalid Invalid", "entry api-key"},
		"a space at the start":                          {"DeepSeek", entries("api-key", " hunter2"), "False/invalid Invalid", "entry api-key"},
		"a character beyond ASCII":                      {"DeepSeek", entries("api-key", "hunter2…"), "False/invalid Invalid", "entry api-key"},
		"the Secret cannot be used":                     {"DeepSeek", table.CredentialState{Problem: &table.Problem{Severity: table.Missing, Reason: "RefNotFound", Message: "m"}}, "False/missing RefNotFound", "m"},
		"the CA bundle is no good":                      {"DeepSeek", table.CredentialState{Problem: &table.Problem{Severity: table.Invalid, Reason: "Invalid", Message: "pem"}}, "False/invalid Invalid", "pem"},
		"a provider of another version":                 {"NewOne", entries(), "True ResolvedRefs", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, findings := table.CheckCredential(makeCredential("shop", "cred", vendor(tc.provider, "")), tc.state, providers())
			status, message := finding(findings, table.KindProviderCredential, "shop", "cred", v1alpha1.ConditionResolvedRefs)
			if status != tc.want || !strings.Contains(message, tc.wantPart) || strings.Contains(message, "hunter2") {
				t.Errorf("got %q (%s), want %q (%s)", status, message, tc.want, tc.wantPart)
			}
			if wantUsable := tc.want == "True ResolvedRefs" && tc.provider != "NewOne"; (got != nil) != wantUsable {
				t.Errorf("got %v", got)
			}
			if len(findings) != 2 {
				t.Errorf("got %d findings, want 2: %v", len(findings), findings)
			}
		})
	}
}

func TestCheckCredential_CompilesEverything(t *testing.T) {
	credential := makeCredential("shop", "cred", proxy("http://proxy.test:3128/"), headers("x-team", "a"), private, func(s *v1alpha1.ProviderCredentialSpec) {
		s.TLS = &v1alpha1.UpstreamTLS{ServerName: "sni.test"}
	})
	state := ready()
	state.CABundle, state.ProxyUsername, state.ProxyPassword = []byte("pem"), "user", table.NewSecret("hunter2")
	got, _ := table.CheckCredential(credential, state, providers())
	want := &table.Credential{
		Namespace: "shop", Name: "cred", Provider: "DeepSeek", Region: "cn", Endpoint: "https://api.deepseek.com",
		URL: &url.URL{Scheme: "https", Host: "api.deepseek.com"}, AllowPrivate: true, Header: http.Header{"X-Team": {"a"}},
		Secrets: ready().Entries, CABundle: []byte("pem"), ServerName: "sni.test",
		ProxyURL: &url.URL{Scheme: "http", Host: "proxy.test:3128", Path: "/"}, ProxyUsername: "user", ProxyPassword: table.NewSecret("hunter2"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	state.CABundle[0], state.Entries["api-key"] = 'X', table.NewSecret("changed")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the credential shares memory with its state:\n%s", diff)
	}
	if strings.Contains(fmt.Sprintf("%+v %#v", got, got), "hunter2") {
		t.Error("a credential prints its secrets")
	}
}

// protocol sets a protocol.
func protocol(p v1alpha1.Provider, name string) credentialSpec {
	return func(s *v1alpha1.ProviderCredentialSpec) { s.Provider, s.Protocol = p, name }
}

func TestCheckCredential_ProtocolAndRegion(t *testing.T) {
	tests := map[string]struct {
		change                   []credentialSpec
		wantProtocol, wantRegion string
		want, wantPart           string
	}{
		"unset, the first of each":        {[]credentialSpec{protocol("Kling", "")}, "New", "intl", "True Accepted", ""},
		"the first protocol, said":        {[]credentialSpec{protocol("Kling", "New")}, "New", "intl", "True Accepted", ""},
		"the second protocol":             {[]credentialSpec{protocol("Kling", "Legacy")}, "Legacy", "intl", "True Accepted", ""},
		"the second region":               {[]credentialSpec{vendor("Kling", "cn"), protocol("Kling", "Legacy")}, "Legacy", "cn", "True Accepted", ""},
		"an endpoint of one's own":        {[]credentialSpec{protocol("Kling", ""), endpoint("https://x.test")}, "New", "", "True Accepted", ""},
		"a vendor of one protocol":        {nil, "", "cn", "True Accepted", ""},
		"a vendor without regions":        {[]credentialSpec{vendor("OpenAI", ""), endpoint("https://x.test")}, "", "", "True Accepted", ""},
		"another vendor's protocol":       {[]credentialSpec{protocol("Kling", "V1")}, "", "", "False/invalid UnknownProtocol", `protocol "V1" is none of provider Kling; use one of New, Legacy, or remove it for New`},
		"a spelling of one's own":         {[]credentialSpec{protocol("Kling", "legacy")}, "", "", "False/invalid UnknownProtocol", "use one of New, Legacy"},
		"a protocol where there is but 1": {[]credentialSpec{protocol("DeepSeek", "New")}, "", "", "False/invalid UnknownProtocol", "provider DeepSeek has only one; remove protocol"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, findings := table.CheckCredential(makeCredential("shop", "cred", tc.change...), ready(), providers())
			status, message := finding(findings, table.KindProviderCredential, "shop", "cred", v1alpha1.ConditionAccepted)
			if status != tc.want || !strings.Contains(message, tc.wantPart) {
				t.Errorf("got %q (%s), want %q (%s)", status, message, tc.want, tc.wantPart)
			}
			if accepted := tc.want == "True Accepted"; (got != nil) != accepted {
				t.Fatalf("got %v", got)
			}
			if got != nil && (got.Protocol != tc.wantProtocol || got.Region != tc.wantRegion) {
				t.Errorf("protocol %q, region %q; want %q, %q", got.Protocol, got.Region, tc.wantProtocol, tc.wantRegion)
			}
		})
	}
}

func TestResolveEndpoint_NeedsNoSecret(t *testing.T) {
	got, p := table.ResolveEndpoint(&makeCredential("shop", "cred", endpoint("https://x.test/v1/")).Spec, providers())
	if got != "https://x.test/v1" || p != nil {
		t.Errorf("got %q, %v", got, p)
	}
}

func TestCheckAddr(t *testing.T) {
	tests := map[string]struct {
		addrs []string
		// without and with allowPrivate
		want, wantPrivate error
	}{
		"public": {[]string{
			"1.2.3.4", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.18.0.1", "223.255.255.255",
			"2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8",
		}, nil, nil},
		"private": {[]string{
			"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1", "127.255.255.254", "100.64.0.1", "100.127.255.255", "192.0.0.1",
			"::1", "fc00::1", "fdff::1", "fec0::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::7f00:1", "2002:a00:1::", "::10.0.0.1",
		}, table.ErrPrivateAddr, nil},
		"never": {[]string{
			"169.254.169.254", "169.254.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "100.100.100.200",
			"192.0.0.192", "::", "fe80::1", "fe80::1%eth0", "febf::1", "ff02::1", "fd00:ec2::254", "fd20:ce::254", "fd00:ec2::254%1",
			"::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "::169.254.169.254", "::ffff:0.0.0.0",
		}, table.ErrForbiddenAddr, table.ErrForbiddenAddr},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			for _, text := range tc.addrs {
				addr := netip.MustParseAddr(text)
				if got := table.CheckAddr(addr, false); !errors.Is(got, tc.want) {
					t.Errorf("%s: %v, want %v", text, got, tc.want)
				}
				if got := table.CheckAddr(addr, true); !errors.Is(got, tc.wantPrivate) {
					t.Errorf("%s with allowPrivate: %v, want %v", text, got, tc.wantPrivate)
				}
			}
		})
	}
	if err := table.CheckAddr(netip.Addr{}, true); !errors.Is(err, table.ErrForbiddenAddr) {
		t.Errorf("no address: %v", err)
	}
}

func FuzzCheckCredential(f *testing.F) {
	for _, seed := range []string{"https://api.test/v1/", "http://[::1]:80", "https://a@b", "https://%31", "https://x:99999", "//", "https://[fe80::1%25a]"} {
		f.Add(seed, "", false, false)
		f.Add("", seed, true, true)
	}
	f.Fuzz(func(t *testing.T, text, proxyText string, allowPrivate, allowInsecure bool) {
		credential := makeCredential("shop", "cred", endpoint(text), func(s *v1alpha1.ProviderCredentialSpec) {
			s.AllowPrivate, s.AllowInsecure = allowPrivate, allowInsecure
			if proxyText != "" {
				s.Proxy = &v1alpha1.UpstreamProxy{URL: proxyText}
			}
		})
		got, findings := table.CheckCredential(credential, ready(), providers())
		if got == nil {
			if findings[0].Status || findings[0].Message == "" {
				t.Fatalf("refused without a reason: %v", findings)
			}
			return
		}
		if got.URL.Host == "" || got.URL.User != nil || strings.HasSuffix(got.Endpoint, "/") || (got.URL.Scheme != "https" && !allowInsecure) {
			t.Fatalf("%q was accepted as %s", text, got.URL)
		}
		if addr, err := netip.ParseAddr(got.URL.Hostname()); err == nil && table.CheckAddr(addr, allowPrivate) != nil {
			t.Fatalf("%q was accepted", text)
		}
	})
}
