package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"vipcloud.ai/vipcloud/gateway/metrics"
)

const (
	// certificateRetry is how long to wait for a certificate that is not there yet.
	certificateRetry = time.Second
	// certificatePoll is how often files are read although nothing told of a change.
	certificatePoll = 10 * time.Second
)

// errNoCertificate ends handshakes before there is a certificate.
var errNoCertificate = errors.New("no certificate yet")

// certificate is the one in a directory, as it is now. A change is for connections that begin after it; one that cannot be read
// leaves the one before in use. It is safe for concurrent use.
type certificate struct {
	crt, key string
	log      *slog.Logger
	watcher  atomic.Pointer[certwatcher.CertWatcher]
	// notAfter is when it expires, in seconds since 1970; 0: there is none yet.
	notAfter atomic.Int64
}

// newCertificate takes tls.crt and tls.key of a directory, which may both come later.
func newCertificate(dir string, logger *slog.Logger) *certificate {
	log.SetLogger(logr.FromSlogHandler(logger.Handler())) // the watcher's
	c := &certificate{crt: filepath.Join(dir, "tls.crt"), key: filepath.Join(dir, "tls.key"), log: logger}
	if err := c.load(); err != nil {
		logger.Warn("No certificate yet, waiting for one", "path", c.crt, "reason", err)
	}
	return c
}

// certificate is that of --tls-cert-dir, nil without.
func (f *gatewayFlags) certificate(logger *slog.Logger, registry *prometheus.Registry) *certificate {
	if f.tlsCertDir == "" {
		return nil
	}
	c := newCertificate(f.tlsCertDir, logger)
	metrics.Certificate(registry, c.notAfter.Load)
	return c
}

// config is what the listener needs; nil of none.
func (c *certificate) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}

// get returns the certificate for a handshake.
func (c *certificate) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if w := c.watcher.Load(); w != nil {
		return w.GetCertificate(hello)
	}
	return nil, errNoCertificate
}

// load reads the files and begins a watch.
func (c *certificate) load() error {
	w, err := certwatcher.New(c.crt, c.key)
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	w.WithWatchInterval(certificatePoll).RegisterCallback(func(now tls.Certificate) {
		if now.Leaf != nil {
			c.notAfter.Store(now.Leaf.NotAfter.Unix())
		}
	})
	c.watcher.Store(w)
	return nil
}

// run follows the files until ctx ends. A watch that fails, since they have gone, is begun anew.
func (c *certificate) run(ctx context.Context) {
	for {
		if w := c.watcher.Load(); w != nil {
			err := w.Start(ctx)
			if ctx.Err() != nil {
				return
			}
			c.log.Warn("Watching the certificate failed, trying again", "path", c.crt, "reason", err)
		}
		for again := true; again; {
			select {
			case <-ctx.Done():
				return
			case <-time.After(certificateRetry):
				again = c.load() != nil
			}
		}
		c.log.Info("Certificate loaded", "path", c.crt)
	}
}
