package controllers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestProviderCredential_Status(t *testing.T) {
	w := newWorld(t)
	good := w.credential("good", "sk-1")
	w.ready(good)
	if got, want := good.Status.Endpoint, "https://api.example.com"; got != want {
		t.Errorf("endpoint %q, want %q", got, want)
	}

	missing := w.credential("missing", "")
	w.expectConditions(missing, expect{"Accepted": "True/Accepted", "ResolvedRefs": "False/RefNotFound", "Ready": "False/RefNotFound",
		"Reconciling": "True/RefNotFound"})
	w.clock.step(missingGrace)
	w.poke(v1alpha1.KindProviderCredential, missing)
	w.expectConditions(missing, expect{"Stalled": "True/RefNotFound", "Reconciling": ""})

	secret := w.secret(w.ns, "missing", map[string]string{"token": "x"})
	w.expectConditions(missing, expect{"ResolvedRefs": "False/SecretEntryMissing"})
	w.change(secret, func() { secret.Data["api-key"] = []byte("sk-2") })
	w.ready(missing)
	w.remove(secret)
	w.expectConditions(missing, expect{"ResolvedRefs": "False/RefNotFound"})

	forbidden := w.credential("forbidden", "sk-3", func(c *v1alpha1.ProviderCredential) { c.Spec.Endpoint = "https://169.254.169.254" })
	w.expectConditions(forbidden, expect{"Accepted": "False/ForbiddenEndpoint", "Stalled": "True/ForbiddenEndpoint"})
}

func TestProviderCredential_RotationReachesTheCompiledSecretWithinTwoSeconds(t *testing.T) {
	w := newWorld(t)
	instance := w.instance("default")
	w.credential("deepseek", "sk-old")
	route := w.route("chat", "deepseek")
	w.attend("default", "r1")
	w.ready(instance, route)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "deepseek"}}
	w.change(secret, func() { secret.Data["api-key"] = []byte("sk-new"); secret.Data["unrelated"] = []byte("x") })
	began := time.Now()
	w.eventually("the new key is compiled", func() error { return w.compiledKey("default", w.ns+"/deepseek", "sk-new") })
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
	states, _ := w.compiled("default")
	if got := len(states[w.ns+"/deepseek"].Entries); got != 1 {
		t.Errorf("%d entries are compiled, of which the provider needs one", got)
	}
	w.never("the route falls back", func() error {
		w.get(route)
		return matchConditions(route, expect{"Ready": "True/Ready"})
	})
}

// compiledKey says whether a credential is compiled with a key.
func (w *world) compiledKey(instance, credential, key string) error {
	states, err := w.compiled(instance)
	if err != nil {
		return err
	}
	entry := states[credential].Entries["api-key"]
	if entry.Reveal() != key {
		return errors.New("it is another key, or none")
	}
	return nil
}

func TestProviderCredential_CABundleAndProxy(t *testing.T) {
	w := newWorld(t)
	w.instance("default")
	w.attend("default", "r1")
	certificate := selfSigned(t)
	bundle := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "ca"}, Data: map[string]string{"ca.crt": "not PEM"}}
	w.create(bundle)
	proxy := w.secret(w.ns, "proxy", map[string]string{"username": "u"})
	credential := w.credential("deepseek", "sk-1", func(c *v1alpha1.ProviderCredential) {
		c.Spec.TLS = &v1alpha1.UpstreamTLS{CABundle: &v1alpha1.CABundleSource{
			ConfigMapRef: &v1alpha1.EntryReference{Name: "ca", Key: "ca.crt"}}}
		c.Spec.Proxy = &v1alpha1.UpstreamProxy{URL: "http://proxy.example.com:3128", SecretRef: &v1alpha1.LocalObjectReference{Name: "proxy"}}
	})
	route := w.route("chat", "deepseek")
	w.expectConditions(credential, expect{"ResolvedRefs": "False/Invalid", "Stalled": "True/Invalid"})
	w.change(bundle, func() { bundle.Data["ca.crt"] = certificate })
	w.expectConditions(credential, expect{"ResolvedRefs": "False/SecretEntryMissing", "Stalled": "True/SecretEntryMissing"})
	w.change(proxy, func() { proxy.Data["password"] = []byte("p") })
	w.ready(credential, route)
	states, err := w.compiled("default")
	if err != nil {
		t.Fatal(err)
	}
	state := states[w.ns+"/deepseek"]
	if string(state.CABundle) != certificate || state.ProxyUsername != "u" || state.ProxyPassword.Reveal() != "p" {
		t.Error("the bundle or the proxy's account is not compiled")
	}
	w.remove(bundle)
	w.expectConditions(credential, expect{"ResolvedRefs": "False/RefNotFound"})
}

// selfSigned makes a certificate in PEM.
func selfSigned(t *testing.T) string {
	t.Helper()
	certificate, _ := keyPair(t, time.Now().Add(time.Hour))
	return certificate
}

// keyPair is a certificate and its key, in PEM.
func keyPair(t *testing.T, notAfter time.Time) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: notAfter}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}))
}

func TestCredentialState(t *testing.T) {
	secretRef := func(name string) contentRef {
		return contentRef{kind: kindSecret, name: types.NamespacedName{Namespace: "n", Name: name}}
	}
	configMapRef := contentRef{kind: kindConfigMap, name: types.NamespacedName{Namespace: "n", Name: "ca"}}
	certificate := selfSigned(t)
	objects := func() map[contentRef]map[string][]byte {
		return map[contentRef]map[string][]byte{
			secretRef("main"):  {"api-key": []byte("k"), "other": []byte("o")},
			secretRef("proxy"): {"username": []byte("u"), "password": []byte("p")},
			secretRef("ca"):    {"ca.crt": []byte(certificate)},
			configMapRef:       {"ca.crt": []byte(certificate)},
		}
	}
	fromConfigMap := &v1alpha1.CABundleSource{ConfigMapRef: &v1alpha1.EntryReference{Name: "ca", Key: "ca.crt"}}
	fromSecret := &v1alpha1.CABundleSource{SecretRef: &v1alpha1.EntryReference{Name: "ca", Key: "ca.crt"}}
	cases := map[string]struct {
		bundle     *v1alpha1.CABundleSource
		proxy      bool
		change     func(map[contentRef]map[string][]byte)
		broken     bool
		wantReason string
		wantMiss   bool
		wantErr    bool
	}{
		"everything there":            {bundle: fromConfigMap, proxy: true},
		"bundle in a Secret":          {bundle: fromSecret},
		"no Secret":                   {change: func(m map[contentRef]map[string][]byte) { delete(m, secretRef("main")) }, wantReason: "RefNotFound", wantMiss: true},
		"an empty Secret is a Secret": {change: func(m map[contentRef]map[string][]byte) { m[secretRef("main")] = map[string][]byte{} }},
		"no bundle":                   {bundle: fromConfigMap, change: func(m map[contentRef]map[string][]byte) { delete(m, configMapRef) }, wantReason: "RefNotFound", wantMiss: true},
		"no entry in the bundle":      {bundle: fromSecret, change: func(m map[contentRef]map[string][]byte) { m[secretRef("ca")] = map[string][]byte{} }, wantReason: "RefNotFound", wantMiss: true},
		"a bundle without certificate": {bundle: fromSecret, change: func(m map[contentRef]map[string][]byte) {
			m[secretRef("ca")]["ca.crt"] = []byte("x")
		}, wantReason: "Invalid"},
		"no Secret for the proxy": {proxy: true, change: func(m map[contentRef]map[string][]byte) { delete(m, secretRef("proxy")) }, wantReason: "RefNotFound", wantMiss: true},
		"no password for the proxy": {proxy: true, change: func(m map[contentRef]map[string][]byte) {
			delete(m[secretRef("proxy")], "password")
		}, wantReason: "SecretEntryMissing"},
		"the API server does not tell": {broken: true, wantErr: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			held := objects()
			if tc.change != nil {
				tc.change(held)
			}
			cred := &v1alpha1.ProviderCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "n"}, Spec: v1alpha1.ProviderCredentialSpec{
				SecretRef: v1alpha1.LocalObjectReference{Name: "main"}}}
			if tc.bundle != nil {
				cred.Spec.TLS = &v1alpha1.UpstreamTLS{CABundle: tc.bundle}
			}
			if tc.proxy {
				cred.Spec.Proxy = &v1alpha1.UpstreamProxy{SecretRef: &v1alpha1.LocalObjectReference{Name: "proxy"}}
			}
			expected := map[contentRef]bool{}
			for _, ref := range credentialRefs(cred) {
				expected[ref] = true
			}
			state, err := credentialState(cred, [][]string{{"api-key"}}, func(ref contentRef) (map[string][]byte, error) {
				if !expected[ref] {
					t.Errorf("%v is read without having been announced", ref)
				}
				if tc.broken {
					return nil, errors.New("connection refused")
				}
				return held[ref], nil
			})
			reason, missing := "", false
			if state.Problem != nil {
				reason, missing = state.Problem.Reason, state.Problem.Severity == table.Missing
			}
			if (err != nil) != tc.wantErr || reason != tc.wantReason || missing != tc.wantMiss {
				t.Errorf("reason %q, missing %v, error %v", reason, missing, err)
			}
			if _, leaked := state.Entries["other"]; leaked {
				t.Error("an entry that the provider does not need is taken")
			}
		})
	}
}
