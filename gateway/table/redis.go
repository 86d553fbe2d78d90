package table

import (
	"bytes"
	"encoding/json"
	"fmt"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// RedisMode is how a Redis is set up: Single, Sentinel or Cluster.
type RedisMode string

// Modes of a Redis.
const (
	RedisSingle   = RedisMode(v1alpha1.RedisModeSingle)
	RedisSentinel = RedisMode(v1alpha1.RedisModeSentinel)
	RedisCluster  = RedisMode(v1alpha1.RedisModeCluster)
)

// Redis is a Redis or Valkey, ready for use unless there is a Problem. Read only.
type Redis struct {
	// Mode says what Addresses are: the server (one), the Sentinels, or some servers of the cluster.
	Mode RedisMode
	// Addresses are host:port, at least one.
	Addresses []string
	// MasterName is what the Sentinels call the primary; empty in other modes.
	MasterName string
	// Username and Password are for the server; empty for none.
	Username string
	Password Secret
	// SentinelUsername and SentinelPassword are for the Sentinels; empty for none.
	SentinelUsername string
	SentinelPassword Secret
	// TLS encrypts the connection.
	TLS bool
	// CABundle is PEM; nil for the system's authorities.
	CABundle []byte
	// ServerName is what the certificate must be for; empty for the address's host.
	ServerName string
	// Problem is why it cannot be used; it counts as away then. Nil: it can.
	Problem *Problem
}

// RedisState is what is known of the Secrets and ConfigMaps of a Redis.
type RedisState struct {
	// Problem says why they cannot be used. Nil: they can.
	Problem *Problem
	// Username and Password are for the server, empty for none.
	Username string
	Password Secret
	// SentinelUsername and SentinelPassword are for the Sentinels, empty for none.
	SentinelUsername string
	SentinelPassword Secret
	// CABundle is PEM, nil for the system's authorities.
	CABundle []byte
}

// compileRedis compiles the Redis of an instance. It is nil for none.
func compileRedis(spec *v1alpha1.Redis, state *RedisState) *Redis {
	if spec == nil {
		return nil
	}
	r := &Redis{Mode: RedisSingle, MasterName: spec.MasterName, Problem: redisProblem(spec)}
	if spec.Mode != "" {
		r.Mode = RedisMode(spec.Mode)
	}
	if spec.Address != "" {
		r.Addresses = []string{string(spec.Address)}
	}
	for _, address := range spec.Addresses {
		r.Addresses = append(r.Addresses, string(address))
	}
	needed := spec.SecretRef != nil
	if spec.TLS != nil {
		r.TLS, r.ServerName = true, spec.TLS.ServerName
		needed = needed || spec.TLS.CABundle != nil
	}
	switch {
	case r.Problem != nil || !needed:
	case state == nil:
		r.Problem = missing(v1alpha1.ReasonRefNotFound, "redis: its Secret was not read yet")
	case state.Problem != nil:
		r.Problem = state.Problem
	default:
		r.Username, r.Password = state.Username, state.Password
		r.SentinelUsername, r.SentinelPassword = state.SentinelUsername, state.SentinelPassword
		r.CABundle = bytes.Clone(state.CABundle)
	}
	return r
}

// redisProblem says what an API server would refuse of a Redis, for manifests that none has seen.
func redisProblem(spec *v1alpha1.Redis) *Problem {
	several := spec.Mode == v1alpha1.RedisModeSentinel || spec.Mode == v1alpha1.RedisModeCluster
	switch {
	case several && (len(spec.Addresses) == 0 || spec.Address != ""), !several && (spec.Address == "" || len(spec.Addresses) > 0):
		return invalid("redis: mode Single takes address, modes Sentinel and Cluster take addresses; set the one that belongs to mode")
	case (spec.Mode == v1alpha1.RedisModeSentinel) != (spec.MasterName != ""):
		return invalid("redis: masterName belongs to mode Sentinel, which needs it; set both or remove masterName")
	}
	return nil
}

// CompiledRedisEntry is the entry of the compiled Secret that holds what a Redis asks for.
const CompiledRedisEntry = "redis.json"

// compiledRedis is a RedisState in the wire format. Values are bytes, because Secrets may hold any.
type compiledRedis struct {
	Version          int              `json:"v"`
	Problem          *compiledProblem `json:"problem,omitempty"`
	Username         []byte           `json:"username,omitempty"`
	Password         []byte           `json:"password,omitempty"`
	SentinelUsername []byte           `json:"sentinelUsername,omitempty"`
	SentinelPassword []byte           `json:"sentinelPassword,omitempty"`
	CABundle         []byte           `json:"caBundle,omitempty"`
}

// EncodeRedis returns the entry CompiledRedisEntry of the compiled Secret. Equal states give equal bytes.
func EncodeRedis(state RedisState) ([]byte, error) {
	wire := compiledRedis{
		Version:          compiledVersion,
		Username:         []byte(state.Username),
		Password:         []byte(state.Password.Reveal()),
		SentinelUsername: []byte(state.SentinelUsername),
		SentinelPassword: []byte(state.SentinelPassword.Reveal()),
		CABundle:         state.CABundle,
	}
	if p := state.Problem; p != nil {
		wire.Problem = &compiledProblem{Severity: p.Severity.String(), Reason: p.Reason, Message: p.Message}
	}
	data, err := json.Marshal(wire) //nolint:gosec // it is written for a Secret
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", CompiledRedisEntry, err)
	}
	return data, nil
}

// DecodeRedis reads what a Redis asks for from the data of the compiled Secret. It is nil if there is no such entry. Errors wrap
// ErrCompiledVersion or ErrCompiledFormat and never repeat what was read.
func DecodeRedis(data map[string][]byte) (*RedisState, error) {
	raw, ok := data[CompiledRedisEntry]
	if !ok {
		return nil, nil
	}
	if err := checkVersion(raw); err != nil {
		return nil, fmt.Errorf("reading %s: %w", CompiledRedisEntry, err)
	}
	var wire compiledRedis
	if json.Unmarshal(raw, &wire) != nil {
		return nil, fmt.Errorf("reading %s: %w", CompiledRedisEntry, ErrCompiledFormat)
	}
	problem, err := wire.Problem.decode()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", CompiledRedisEntry, err)
	}
	return &RedisState{
		Problem:          problem,
		Username:         string(wire.Username),
		Password:         NewSecret(string(wire.Password)),
		SentinelUsername: string(wire.SentinelUsername),
		SentinelPassword: NewSecret(string(wire.SentinelPassword)),
		CABundle:         wire.CABundle,
	}, nil
}
