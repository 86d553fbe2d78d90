package manifests

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// certificate makes a PEM certificate.
func certificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestStates(t *testing.T) {
	authority := certificate(t)
	quoted := "\"" + strings.ReplaceAll(authority, "\n", "\\n") + "\""
	with := func(spec string) string { return credentialYAML + "  " + spec + "\n" }
	object := func(kind, name, entries string) string {
		return "---\napiVersion: v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\n" + entries + "\n"
	}
	secret := "---\n" + secretYAML
	cases := map[string]struct {
		text        string
		wantReason  string
		wantMessage string
		wantEntries map[string]string
		wantBundle  bool
		wantProxy   string
	}{
		"stringData": {text: credentialYAML + secret, wantEntries: map[string]string{"api-key": "sk-upstream-secret"}},
		"data": {text: credentialYAML + object("Secret", "deepseek", "data: {api-key: "+base64.StdEncoding.EncodeToString([]byte("k"))+"}"),
			wantEntries: map[string]string{"api-key": "k"}},
		"stringData beats data": {text: credentialYAML + object("Secret", "deepseek", "data: {api-key: aaaa, other: "+base64.StdEncoding.EncodeToString([]byte("o"))+"}\nstringData: {api-key: s}"),
			wantEntries: map[string]string{"api-key": "s", "other": "o"}},
		"no Secret": {text: credentialYAML, wantReason: v1alpha1.ReasonRefNotFound, wantMessage: `secretRef: Secret "deepseek" is not among the manifests; add it`},
		"a Secret of another namespace": {text: credentialYAML + strings.Replace(secret, "{name: deepseek}", "{name: deepseek, namespace: x}", 1),
			wantReason: v1alpha1.ReasonRefNotFound, wantMessage: `secretRef: Secret "deepseek"`},
		"authorities of a ConfigMap": {text: with("tls: {caBundle: {configMapRef: {name: ca, key: pem}}}") + secret + object("ConfigMap", "ca", "data: {pem: "+quoted+"}"),
			wantEntries: map[string]string{"api-key": "sk-upstream-secret"}, wantBundle: true},
		"authorities of a Secret": {text: with("tls: {caBundle: {secretRef: {name: ca, key: pem}}}") + secret + object("Secret", "ca", "stringData: {pem: "+quoted+"}"),
			wantEntries: map[string]string{"api-key": "sk-upstream-secret"}, wantBundle: true},
		"authorities that are missing": {text: with("tls: {caBundle: {configMapRef: {name: ca, key: pem}}}") + secret,
			wantReason: v1alpha1.ReasonRefNotFound, wantMessage: `tls.caBundle: ConfigMap "ca" with entry "pem" is not among the manifests; add it`},
		"authorities that are none": {text: with("tls: {caBundle: {configMapRef: {name: ca, key: pem}}}") + secret + object("ConfigMap", "ca", "data: {pem: x}"),
			wantReason: v1alpha1.ReasonInvalid, wantMessage: `tls.caBundle: entry "pem" of ConfigMap "ca" holds no PEM certificate`},
		"a proxy": {text: with("proxy: {url: \"http://proxy:3128\", secretRef: {name: p}}") + secret + object("Secret", "p", "stringData: {username: u, password: w}"),
			wantEntries: map[string]string{"api-key": "sk-upstream-secret"}, wantProxy: "u:w"},
		"a proxy without its Secret": {text: with("proxy: {url: \"http://proxy:3128\", secretRef: {name: p}}") + secret,
			wantReason: v1alpha1.ReasonRefNotFound, wantMessage: `proxy.secretRef: Secret "p" is not among the manifests; add it`},
		"a proxy without a password": {text: with("proxy: {url: \"http://proxy:3128\", secretRef: {name: p}}") + secret + object("Secret", "p", "stringData: {username: u}"),
			wantReason: v1alpha1.ReasonSecretEntryMissing, wantMessage: `proxy.secretRef: Secret "p" needs the entries username and password; add them`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, map[string]string{"f.yaml": tc.text})
			s := f.open(nil)
			if problems := s.Problems(); len(problems) > 0 {
				t.Fatalf("problems: %v", problems)
			}
			state := s.input.CredentialStates[types.NamespacedName{Namespace: "default", Name: "deepseek"}]
			problem := table.Problem{}
			if state.Problem != nil {
				problem = *state.Problem
			}
			if problem.Reason != tc.wantReason || !strings.HasPrefix(problem.Message, tc.wantMessage) {
				t.Errorf("problem %+v, want %s: %s", problem, tc.wantReason, tc.wantMessage)
			}
			if len(state.Entries) != len(tc.wantEntries) {
				t.Errorf("%d entries, want %d", len(state.Entries), len(tc.wantEntries))
			}
			for entry, want := range tc.wantEntries {
				if got := state.Entries[entry].Reveal(); got != want {
					t.Errorf("entry %s is %q, want %q", entry, got, want)
				}
			}
			if got := bytes.Contains(state.CABundle, []byte("CERTIFICATE")); got != tc.wantBundle {
				t.Errorf("authorities: %v, want %v", got, tc.wantBundle)
			}
			if got := strings.TrimPrefix(state.ProxyUsername+":"+state.ProxyPassword.Reveal(), ":"); got != tc.wantProxy {
				t.Errorf("proxy account %q, want %q", got, tc.wantProxy)
			}
		})
	}
}
