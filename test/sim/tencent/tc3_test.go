package tencent

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The example of "Signature v3" in the documentation of API 3.0.
const (
	vectorBody      = `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`
	vectorBodyHash  = "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064"
	vectorCanonical = "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031"
	vectorSignature = "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
)

func vector() (account, *http.Request) {
	r := httptest.NewRequest(http.MethodPost, "https://cvm.tencentcloudapi.com/", strings.NewReader(vectorBody))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("X-TC-Action", "DescribeInstances")
	r.Header.Set("X-TC-Version", "2017-03-12")
	r.Header.Set("X-TC-Region", "ap-guangzhou")
	r.Header.Set("X-TC-Timestamp", "1551113065")
	r.Header.Set("Authorization", "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, "+
		"SignedHeaders=content-type;host, Signature="+vectorSignature)
	return account{"AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"}, r
}

func TestVerify_acceptsTheOfficialVector(t *testing.T) {
	a, r := vector()
	if got := sum([]byte(vectorBody)); got != vectorBodyHash {
		t.Errorf("hash of the body = %s, want %s", got, vectorBodyHash)
	}
	canonical, p := canonicalRequest(r, "content-type;host", []byte(vectorBody))
	if p != nil || sum([]byte(canonical)) != vectorCanonical {
		t.Errorf("hash of the canonical request = %s (%v), want %s", sum([]byte(canonical)), p, vectorCanonical)
	}
	service, p := a.verify(r, []byte(vectorBody), time.Unix(1551113065, 0))
	if p != nil || service != "cvm" {
		t.Errorf("verify = %q, %+v", service, p)
	}
	if _, p = a.verify(r, []byte(vectorBody+" "), time.Unix(1551113065, 0)); p == nil || p.code != badSignature {
		t.Errorf("a changed body: %+v", p)
	}
	a.key += "x"
	if _, p = a.verify(r, []byte(vectorBody), time.Unix(1551113065, 0)); p == nil || p.code != badSignature {
		t.Errorf("another key: %+v", p)
	}
}

func TestSimulator_acceptsSignatures(t *testing.T) {
	for name, change := range map[string]func(*bench, *order){
		"of two headers":               func(*bench, *order) {},
		"of the action as well":        func(_ *bench, o *order) { o.signed = []string{"content-type", "host", "x-tc-action"} },
		"of a clock five minutes slow": func(b *bench, o *order) { o.at = b.clock().Add(-5 * time.Minute) }, // which is yesterday
		"of a clock five minutes fast": func(b *bench, o *order) { o.at = b.clock().Add(5 * time.Minute) },
		"with English messages":        func(_ *bench, o *order) { o.spoil = func(r *http.Request) { r.Header.Set("X-TC-Language", "en-US") } },
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			o := imageOrder("SubmitTextToImageJob", `{"Prompt":"a"}`)
			change(b, &o)
			b.submit(o)
		})
	}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// inAuthorization replaces a piece of the signed header.
func inAuthorization(old, other string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, other, 1))
	}
}

func body(s string) func(*http.Request) {
	return func(r *http.Request) {
		r.Body, r.ContentLength, r.GetBody = io.NopCloser(strings.NewReader(s)), int64(len(s)), nil
	}
}

func TestSimulator_refusesRequestsThatAreNotSignedRight(t *testing.T) {
	const badForm = "AuthFailure.InvalidAuthorization"
	late, early := 5*time.Minute+time.Second, -5*time.Minute-time.Second
	for name, tc := range map[string]struct {
		spoil func(*http.Request)
		off   time.Duration
		order order
		want  string
	}{
		"no Authorization":             {spoil: func(r *http.Request) { r.Header.Del("Authorization") }, want: badForm},
		"two of them":                  {spoil: func(r *http.Request) { r.Header.Add("Authorization", "x") }, want: badForm},
		"a bearer token":               {spoil: header("Authorization", "Bearer sk-1"), want: badForm},
		"an older algorithm":           {spoil: inAuthorization("TC3-HMAC-SHA256", "TC3-HMAC-SHA1"), want: badForm},
		"no blank after the comma":     {spoil: inAuthorization(", Signed", ",Signed"), want: badForm},
		"a token without being short":  {spoil: header("X-TC-Token", "x"), want: "AuthFailure.TokenFailure"},
		"an unknown SecretId":          {spoil: inAuthorization(secretID, "AKIDother"), want: "AuthFailure.SecretIdNotFound"},
		"an id of another kind":        {spoil: inAuthorization(secretID, "sk-123"), want: "AuthFailure.InvalidSecretId"},
		"another digit":                {spoil: inAuthorization("Signature=", "Signature=0"), want: badForm},
		"another signature":            {spoil: inAuthorization("host, Sig", "host;x-tc-action, Sig"), want: badSignature},
		"another body":                 {spoil: body(`{"Prompt":"b"}`), want: badSignature},
		"another Host":                 {spoil: func(r *http.Request) { r.Host = "aiart.tencentcloudapi.com" }, want: badSignature},
		"a charset added later":        {spoil: header("Content-Type", "application/json; charset=utf-8"), want: badSignature},
		"no timestamp":                 {spoil: func(r *http.Request) { r.Header.Del("X-TC-Timestamp") }, want: missing},
		"a timestamp in words":         {spoil: header("X-TC-Timestamp", "now"), want: badParameter},
		"another timestamp":            {spoil: header("X-TC-Timestamp", "1795392061"), want: badSignature},
		"a slow clock":                 {off: early, want: "AuthFailure.SignatureExpire"},
		"a fast clock":                 {off: late, want: "AuthFailure.SignatureExpire"},
		"yesterday's scope":            {spoil: inAuthorization("2026-11-23", "2026-11-22"), want: badSignature},
		"the Host is not signed":       {order: order{signed: []string{"content-type"}}, want: badSignature},
		"the type is not signed":       {order: order{signed: []string{"host"}}, want: badSignature},
		"names out of order":           {order: order{signed: []string{"host", "content-type"}}, want: badSignature},
		"a name twice":                 {order: order{signed: []string{"content-type", "host", "host"}}, want: badSignature},
		"a signed header not there":    {order: order{signed: []string{"content-type", "host", "x-other"}}, want: badSignature},
		"another product":              {order: order{service: "hunyuan"}, want: badSignature},
		"the wrong product's version":  {order: order{service: "vclm"}, want: "NoSuchVersion"},
		"an action of another product": {order: order{action: "SubmitHunyuanToVideoJob"}, want: "InvalidAction"},
		"an older version":             {order: order{version: "2023-09-01"}, want: "NoSuchVersion"},
		"no version":                   {spoil: func(r *http.Request) { r.Header.Del("X-TC-Version") }, want: missing},
		"no action":                    {spoil: func(r *http.Request) { r.Header.Del("X-TC-Action") }, want: missing},
		"no region":                    {spoil: func(r *http.Request) { r.Header.Del("X-TC-Region") }, want: missing},
		"a region without the product": {spoil: header("X-TC-Region", "eu-frankfurt"), want: "UnsupportedRegion"},
		"a language it does not speak": {spoil: header("X-TC-Language", "fr-FR"), want: badParameter},
		"GET":                          {spoil: func(r *http.Request) { r.Method = http.MethodGet }, want: "UnsupportedProtocol"},
		"another path":                 {spoil: func(r *http.Request) { r.URL.Path = "/v1" }, want: badParameter},
		"a query":                      {spoil: func(r *http.Request) { r.URL.RawQuery = "Action=x" }, want: badParameter},
		"a form":                       {spoil: header("Content-Type", "application/x-www-form-urlencoded"), want: badParameter},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			o := imageOrder("SubmitTextToImageJob", `{"Prompt":"a"}`)
			o.spoil, o.at, o.signed = tc.spoil, b.clock().Add(tc.off), tc.order.signed
			for field, value := range map[*string]string{&o.service: tc.order.service, &o.version: tc.order.version, &o.action: tc.order.action} {
				if value != "" {
					*field = value
				}
			}
			got := b.ask(o)
			if got.status != http.StatusOK || got.code() != tc.want {
				t.Errorf("= %+v, want %s", got, tc.want)
			}
			if e := b.last(); e.Status != http.StatusOK || !strings.HasPrefix(e.Reason, tc.want) {
				t.Errorf("the ledger has %+v", e)
			}
			if b.sim.Unfinished() != 0 {
				t.Error("a refused request made a job")
			}
		})
	}
}
