package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway"
	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/provider/all"
	"vipcloud.ai/vipcloud/gateway/table"
)

const (
	tlsKey      = "vc-sk-0123456789abcdefghijklmnopqrstuvwxyzABCD"
	tlsPatience = 60 * time.Second
)

// secretVolume is a directory that changes as the kubelet changes a Secret's: files are links through ..data, which is replaced at
// once.
type secretVolume struct {
	t    *testing.T
	dir  string
	turn int
}

// write puts a certificate with a serial number and its key there.
func (v *secretVolume) write(serial int64) {
	v.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		v.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "gateway"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	crt, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		v.t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		v.t.Fatal(err)
	}
	v.put(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: crt}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// put replaces both files at once.
func (v *secretVolume) put(crt, key []byte) {
	v.t.Helper()
	v.turn++
	data := fmt.Sprintf("..%d", v.turn)
	steps := []error{os.Mkdir(filepath.Join(v.dir, data), 0o755)}
	for name, content := range map[string][]byte{"tls.crt": crt, "tls.key": key} {
		steps = append(steps, os.WriteFile(filepath.Join(v.dir, data, name), content, 0o600))
		if v.turn == 1 {
			steps = append(steps, os.Symlink(filepath.Join("..data", name), filepath.Join(v.dir, name)))
		}
	}
	steps = append(steps, os.Symlink(data, filepath.Join(v.dir, "..data_tmp")), os.Rename(filepath.Join(v.dir, "..data_tmp"), filepath.Join(v.dir, "..data")))
	if v.turn > 1 {
		steps = append(steps, os.RemoveAll(filepath.Join(v.dir, fmt.Sprintf("..%d", v.turn-1))))
	}
	if err := errors.Join(steps...); err != nil {
		v.t.Fatal(err)
	}
}

// slowUpstream streams a chunk, and the rest once it may.
type slowUpstream struct{ rest chan struct{} }

func (u *slowUpstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	chunk := func(content, finish string) {
		fmt.Fprintf(w, `data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":%q},"finish_reason":%s}]}`+"\n\n", content, finish)
		_ = http.NewResponseController(w).Flush()
	}
	w.Header().Set("Content-Type", "text/event-stream")
	chunk("begin", "null")
	if strings.Contains(string(body), "slowly") {
		select {
		case <-u.rest:
		case <-r.Context().Done():
			return
		}
	}
	chunk("end", `"stop"`)
	fmt.Fprint(w, "data: [DONE]\n\n")
}

// tlsGateway is a gateway over TLS with one model.
type tlsGateway struct {
	t    *testing.T
	url  string
	cert *certificate
}

func startTLSGateway(t *testing.T, dir string, upstream http.Handler) *tlsGateway {
	t.Helper()
	vendor := httptest.NewServer(upstream)
	t.Cleanup(vendor.Close)
	plain, secure := loopback(t), loopback(t)
	quiet := slog.New(slog.DiscardHandler)
	f := gatewayFlags{tlsCertDir: dir}
	cert := f.certificate(quiet, prometheus.NewRegistry())
	server, err := gateway.New(gateway.Options{
		Listener: plain, TLSListener: secure, TLS: cert.config(), Adapters: all.Adapters(), AccessLog: quiet, Log: quiet,
		DrainDelay: -1, DrainTimeout: tlsPatience,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { cert.run(ctx) })
	running.Go(func() {
		if err := server.Run(ctx); err != nil {
			t.Errorf("gateway: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })

	instance := types.NamespacedName{Namespace: "system", Name: "default"}
	key := &v1alpha1.ApiKey{ObjectMeta: metav1.ObjectMeta{Namespace: "system", Name: "key"}}
	key.Status.Gateway = &v1alpha1.ObjectReference{Namespace: "system", Name: "default"}
	key.Status.Hashes = []v1alpha1.KeyHash{{SHA256: apikey.Sum(tlsKey).String()}}
	server.Keys().Put(table.CompileKey(key, instance))
	meta := metav1.ObjectMeta{Namespace: "system", Name: "m"}
	server.Apply(table.Input{
		Instance: &v1alpha1.GatewayInstance{ObjectMeta: metav1.ObjectMeta{Namespace: "system", Name: "default"}},
		Routes: []*v1alpha1.ModelRoute{{ObjectMeta: meta, Spec: v1alpha1.ModelRouteSpec{
			Targets: []v1alpha1.Target{{Name: "only", Credential: v1alpha1.ObjectReference{Name: "m"}}}}}},
		Credentials: []*v1alpha1.ProviderCredential{{ObjectMeta: meta, Spec: v1alpha1.ProviderCredentialSpec{
			Provider: v1alpha1.ProviderOpenAI, Endpoint: vendor.URL + "/v1", AllowInsecure: true, AllowPrivate: true,
			SecretRef: v1alpha1.LocalObjectReference{Name: "m"}}}},
		CredentialStates: map[types.NamespacedName]table.CredentialState{
			{Namespace: "system", Name: "m"}: {Entries: map[string]table.Secret{"api-key": table.NewSecret("sk")}}},
		Providers: providersOf(all.Adapters()),
	})
	return &tlsGateway{t: t, url: "https://" + secure.Addr().String(), cert: cert}
}

func loopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// client makes a client that keeps its connections to itself. What it trusts is not this test's business.
func (g *tlsGateway) client() *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	g.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// stream begins to stream an answer.
func (g *tlsGateway) stream(c *http.Client, prompt string) (*http.Response, error) {
	body := fmt.Sprintf(`{"model":"m","stream":true,"messages":[{"role":"user","content":%q}]}`, prompt)
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+tlsKey)
	return c.Do(req)
}

// whole streams an answer to its end.
func (g *tlsGateway) whole(c *http.Client) error {
	resp, err := g.stream(c, "hi")
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.HasSuffix(strings.TrimSpace(string(text)), "[DONE]") {
		return fmt.Errorf("status %d, error %w, body %s", resp.StatusCode, err, text)
	}
	return nil
}

// serial is that of the certificate that a new connection is shown, -1 for none.
func (g *tlsGateway) serial() int64 {
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(g.t.Context(), "tcp", strings.TrimPrefix(g.url, "https://"))
	if err != nil {
		return -1
	}
	defer func() { _ = conn.Close() }()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// shows waits until new connections are shown a certificate.
func (g *tlsGateway) shows(serial int64) {
	g.t.Helper()
	got := g.serial()
	for end := time.Now().Add(tlsPatience); got != serial; got = g.serial() {
		if time.Now().After(end) {
			g.t.Fatalf("new connections are shown certificate %d, want %d", got, serial)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func TestGateway_certificateRotatesUnderLoad(t *testing.T) {
	volume := &secretVolume{t: t, dir: t.TempDir()}
	volume.write(1)
	upstream := &slowUpstream{rest: make(chan struct{})}
	g := startTLSGateway(t, volume.dir, upstream)
	g.shows(1)

	long, err := g.stream(g.client(), "slowly")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = long.Body.Close() }()
	if long.ProtoMajor != 2 {
		t.Errorf("HTTP/%d over TLS, want HTTP/2", long.ProtoMajor)
	}
	lines := bufio.NewReader(long.Body)
	if first, err := lines.ReadString('\n'); err != nil || !strings.Contains(first, "begin") {
		t.Fatalf("the stream begins with %q, %v", first, err)
	}

	// Half of the load keeps its connections, half opens one for each request.
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var served atomic.Int64
	for i := range 4 {
		load.Go(func() {
			c := g.client()
			c.Transport.(*http.Transport).DisableKeepAlives = i%2 == 0
			for ctx.Err() == nil {
				if err := g.whole(c); err != nil {
					t.Errorf("after %d requests: %v", served.Load(), err)
					return
				}
				served.Add(1)
			}
		})
	}
	for serial := int64(2); serial <= 5; serial++ {
		volume.write(serial)
		g.shows(serial)
	}
	volume.put([]byte("no certificate"), []byte("no key"))
	before := served.Load()
	for end := time.Now().Add(tlsPatience); served.Load() < before+50 && time.Now().Before(end) && !t.Failed(); {
		<-time.After(20 * time.Millisecond)
	}
	g.shows(5) // what cannot be used leaves the one before
	stop()
	load.Wait()
	t.Logf("%d streams while the certificate changed four times", served.Load())

	close(upstream.rest)
	rest, err := io.ReadAll(lines)
	if err != nil || !strings.Contains(string(rest), "end") || !strings.HasSuffix(strings.TrimSpace(string(rest)), "[DONE]") {
		t.Errorf("the stream that began with the first certificate ended with %q, %v", rest, err)
	}
}

func TestGateway_certificateMayComeLater(t *testing.T) {
	volume := &secretVolume{t: t, dir: t.TempDir()}
	g := startTLSGateway(t, volume.dir, &slowUpstream{})
	if got := g.serial(); got != -1 {
		t.Errorf("a certificate %d that nobody gave", got)
	}
	volume.write(7)
	g.shows(7)
	if err := g.whole(g.client()); err != nil {
		t.Error(err)
	}
	if until := time.Until(time.Unix(g.cert.notAfter.Load(), 0)); until < 50*time.Minute || until > 70*time.Minute {
		t.Errorf("it expires in %s by the metric, want about an hour", until)
	}
}
