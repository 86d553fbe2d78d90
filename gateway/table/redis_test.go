package table_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// redisState is one with everything.
func redisState() table.RedisState {
	return table.RedisState{
		Username: "gate", Password: table.NewSecret("pa\xffss\x00word"),
		SentinelUsername: "watch", SentinelPassword: table.NewSecret("sentinel-word"), CABundle: []byte("-----BEGIN"),
	}
}

func TestBuild_Redis(t *testing.T) {
	secret := &v1alpha1.LocalObjectReference{Name: "redis"}
	bundle := &v1alpha1.RedisTLS{ServerName: "redis.example.com", CABundle: &v1alpha1.CABundleSource{SecretRef: &v1alpha1.EntryReference{Name: "ca", Key: "ca.crt"}}}
	state := redisState()
	broken := &table.Problem{Severity: table.Missing, Reason: v1alpha1.ReasonSecretEntryMissing, Message: "why"}
	tests := map[string]struct {
		spec        v1alpha1.Redis
		state       *table.RedisState
		want        table.Redis
		wantFinding string
	}{
		"an address alone": {
			v1alpha1.Redis{Address: "redis:6379"}, nil, table.Redis{Mode: table.RedisSingle, Addresses: []string{"redis:6379"}}, "none",
		},
		"TLS by the system's authorities needs no Secret": {
			v1alpha1.Redis{Address: "redis:6379", TLS: &v1alpha1.RedisTLS{}}, nil,
			table.Redis{Mode: table.RedisSingle, Addresses: []string{"redis:6379"}, TLS: true}, "none",
		},
		"Sentinels with everything": {
			v1alpha1.Redis{Mode: "Sentinel", Addresses: []v1alpha1.RedisAddress{"a:1", "b:2"}, MasterName: "m", SecretRef: secret, TLS: bundle}, &state,
			table.Redis{
				Mode: table.RedisSentinel, Addresses: []string{"a:1", "b:2"}, MasterName: "m", TLS: true, ServerName: "redis.example.com",
				Username: "gate", Password: state.Password, SentinelUsername: "watch", SentinelPassword: state.SentinelPassword, CABundle: state.CABundle,
			}, "none",
		},
		"a Secret that was not read yet": {
			v1alpha1.Redis{Mode: "Cluster", Addresses: []v1alpha1.RedisAddress{"a:1"}, SecretRef: secret}, nil,
			table.Redis{Mode: table.RedisCluster, Addresses: []string{"a:1"}, Problem: &table.Problem{
				Severity: table.Missing, Reason: v1alpha1.ReasonRefNotFound, Message: "redis: its Secret was not read yet"}},
			"False/missing RefNotFound",
		},
		"a Secret that cannot be used": {
			v1alpha1.Redis{Address: "a:1", SecretRef: secret}, &table.RedisState{Problem: broken},
			table.Redis{Mode: table.RedisSingle, Addresses: []string{"a:1"}, Problem: broken}, "False/missing SecretEntryMissing",
		},
		"what the state knows beyond the spec is not used": {
			v1alpha1.Redis{Address: "a:1"}, &state, table.Redis{Mode: table.RedisSingle, Addresses: []string{"a:1"}}, "none",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			in := input(changed(func(s *v1alpha1.GatewayInstanceSpec) { s.Redis = &tc.spec }))
			in.Redis = tc.state
			built, findings := table.Build(in)
			if diff := cmp.Diff(&tc.want, built.Redis()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			got, _ := finding(findings, table.KindGatewayInstance, "platform", "default", v1alpha1.ConditionRedisAvailable)
			if got != tc.wantFinding {
				t.Errorf("finding %q, want %q", got, tc.wantFinding)
			}
		})
	}
}

func TestBuild_RedisThatNoAPIServerHasSeen(t *testing.T) {
	for name, spec := range map[string]v1alpha1.Redis{
		"no address":                   {},
		"addresses without a mode":     {Addresses: []v1alpha1.RedisAddress{"a:1"}},
		"an address of a cluster":      {Mode: "Cluster", Address: "a:1"},
		"both":                         {Address: "a:1", Addresses: []v1alpha1.RedisAddress{"a:1"}},
		"Sentinels without a master":   {Mode: "Sentinel", Addresses: []v1alpha1.RedisAddress{"a:1"}},
		"a master without Sentinels":   {Address: "a:1", MasterName: "m"},
		"a master of a Redis Cluster":  {Mode: "Cluster", Addresses: []v1alpha1.RedisAddress{"a:1"}, MasterName: "m"},
		"no addresses of the Sentinel": {Mode: "Sentinel", MasterName: "m"},
	} {
		t.Run(name, func(t *testing.T) {
			built, _ := table.Build(input(changed(func(s *v1alpha1.GatewayInstanceSpec) { s.Redis = &spec })))
			if p := built.Redis().Problem; p == nil || p.Reason != v1alpha1.ReasonInvalid || !strings.HasPrefix(p.Message, "redis: ") {
				t.Errorf("problem %+v", p)
			}
		})
	}
}

func TestRedis_RoundTrip(t *testing.T) {
	for name, state := range map[string]table.RedisState{
		"everything": redisState(),
		"nothing":    {},
		"a problem":  {Problem: &table.Problem{Severity: table.Invalid, Reason: "Invalid", Message: "why"}},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := table.EncodeRedis(state)
			if err != nil {
				t.Fatal(err)
			}
			got, err := table.DecodeRedis(map[string][]byte{table.CompiledRedisEntry: data, "credentials.json": []byte("not for this codec")})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&state, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDecodeRedis_Refuses(t *testing.T) {
	if got, err := table.DecodeRedis(map[string][]byte{"credentials.json": nil}); got != nil || err != nil {
		t.Errorf("a Secret without a Redis gives %v, %v", got, err)
	}
	for name, tc := range map[string]struct {
		text string
		want error
	}{
		"nothing":             {"", table.ErrCompiledFormat},
		"no JSON":             {"sk-secret", table.ErrCompiledFormat},
		"a later version":     {`{"v":2}`, table.ErrCompiledVersion},
		"a wrong type":        {`{"v":1,"password":["sk-secret"]}`, table.ErrCompiledFormat},
		"an unknown severity": {`{"v":1,"problem":{"severity":"sk-secret"}}`, table.ErrCompiledFormat},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := table.DecodeRedis(map[string][]byte{table.CompiledRedisEntry: []byte(tc.text)})
			if !errors.Is(err, tc.want) || strings.Contains(err.Error(), "sk-secret") {
				t.Errorf("error %v, want %v without what was read", err, tc.want)
			}
		})
	}
}

func TestRedis_PasswordsAreNotPrinted(t *testing.T) {
	in := input(changed(func(s *v1alpha1.GatewayInstanceSpec) {
		s.Redis = &v1alpha1.Redis{Address: "a:1", SecretRef: &v1alpha1.LocalObjectReference{Name: "redis"}}
	}))
	state := redisState()
	in.Redis = &state
	built, _ := table.Build(in)
	asJSON, err := json.Marshal(built.Redis())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%+v %#v", *built.Redis(), state), string(asJSON)} {
		if strings.Contains(text, "pa\xffss") || strings.Contains(text, "sentinel-word") {
			t.Errorf("a password is printed: %s", text)
		}
	}
}
