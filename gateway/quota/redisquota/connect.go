package redisquota

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"vipcloud.ai/vipcloud/gateway/table"
)

// Limits of how long Redis may take. A request waits for it, so it counts as away soon.
const (
	dialTimeout = time.Second
	callTimeout = 500 * time.Millisecond
)

// errBundle means that a CA bundle holds no certificate.
var errBundle = errors.New("redis.tls.caBundle holds no PEM certificate")

// silent is a logger of the library that says nothing: whatever goes wrong comes back as an error, and is logged where that is known
// to matter.
type silent struct{}

// Printf implements the library's logger.
func (silent) Printf(context.Context, string, ...any) {}

// quiet silences the library, which has one logger for the process.
var quiet = sync.OnceFunc(func() { redis.SetLogger(silent{}) })

// connect makes a client. Nothing is sent yet.
func connect(t *table.Redis) (redis.UniversalClient, error) {
	quiet()
	o := &redis.UniversalOptions{
		Addrs: t.Addresses, Username: t.Username, Password: t.Password.Reveal(),
		DialTimeout: dialTimeout, ReadTimeout: callTimeout, WriteTimeout: callTimeout, PoolTimeout: callTimeout,
		MaxRetries: 1, MinRetryBackoff: time.Millisecond, MaxRetryBackoff: 10 * time.Millisecond, DialerRetries: 1,
		ContextTimeoutEnabled:    true,
		DisableIdentity:          true, // it is nobody's business which version of which library asks
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if t.TLS {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
		if len(t.CABundle) > 0 {
			o.TLSConfig.RootCAs = x509.NewCertPool()
			if !o.TLSConfig.RootCAs.AppendCertsFromPEM(t.CABundle) {
				return nil, errBundle
			}
		}
	}
	switch t.Mode {
	case table.RedisSentinel:
		o.MasterName, o.SentinelUsername, o.SentinelPassword = t.MasterName, t.SentinelUsername, t.SentinelPassword.Reveal()
		return redis.NewFailoverClient(o.Failover()), nil
	case table.RedisCluster:
		return redis.NewClusterClient(o.Cluster()), nil
	case table.RedisSingle:
	}
	return redis.NewClient(o.Simple()), nil
}
