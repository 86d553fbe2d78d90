package manifests

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// instanceYAML is an instance with a spec in flow style.
func instanceYAML(spec string) string {
	return "apiVersion: vipcloud.ai/v1alpha1\nkind: GatewayInstance\nmetadata: {name: default}\nspec: " + spec + "\n"
}

// keyCalled is a key of another name, with a spec in flow style.
func keyCalled(name, spec string) string {
	return strings.Replace(withSpec(spec), "name: dev", "name: "+name, 1)
}

// servedKeys lists the keys that are served.
func (f *fixture) servedKeys() []string {
	var ids []string
	for _, k := range f.sink.keys {
		ids = append(ids, k.ID())
	}
	slices.Sort(ids)
	return ids
}

func TestKeys_constraints(t *testing.T) {
	files := quickstart()
	files["instance.yaml"] = instanceYAML(`{serves: {keys: {constraints: {limits: {requestsPerMinute: 0, tokensPerMinute: 9}, budget: {amount: "5", period: Day}}}}}`)
	files["key.yaml"] = withSpec(`{limits: {requestsPerMinute: 60}, budget: {amount: "50", period: Month}}`)
	f := newFixture(t, files)
	s := f.open(nil)
	key := f.sink.key("default/dev")
	if key == nil {
		t.Fatalf("the key is not served: %v", s.Problems())
	}
	want := table.Limits{RequestsPerMinute: table.LimitOf(0), TokensPerMinute: table.LimitOf(9)}
	if diff := cmp.Diff(want, key.Limits); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	var periods []table.Period
	for _, b := range key.Budgets {
		periods = append(periods, b.Period)
	}
	if diff := cmp.Diff([]table.Period{table.PeriodDay, table.PeriodMonth}, periods); diff != "" {
		t.Errorf("budgets (-want +got):\n%s", diff)
	}

	f.write("instance.yaml", instanceYAML("{}"))
	reloadNow(t, s)
	if got := f.sink.key("default/dev").Limits; got != (table.Limits{RequestsPerMinute: table.LimitOf(60)}) {
		t.Errorf("without constraints the key has %+v", got)
	}
}

func TestKeys_thatCannotBeAccepted(t *testing.T) {
	tests := map[string]struct {
		instance, key string
		want          string
	}{
		"a budget in another currency": {
			"{currency: CNY}", `{budget: {amount: "1", currency: USD, period: Day}}`, "budget.currency is USD, but that of the GatewayInstance is CNY",
		},
		"too large a budget, which only a rule refuses": {"{}", `{budget: {amount: "999999999", period: Day}}`, "budget.amount cannot be used"},
		"constraints in another currency, which only a rule refuses": {
			`{serves: {keys: {constraints: {budget: {amount: "1", currency: CNY, period: Day}}}}}`, "{}", "serves.keys.constraints.budget.currency is CNY",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			files := quickstart()
			files["instance.yaml"], files["key.yaml"] = instanceYAML(tc.instance), withSpec(tc.key)
			f := newFixture(t, files)
			s := f.open(nil)
			if got := f.servedKeys(); len(got) != 0 {
				t.Errorf("keys %v are served", got)
			}
			if text := strings.Join(messages(f, s.Problems()), "\n"); !strings.Contains(text, "ApiKey default/dev") || !strings.Contains(text, tc.want) {
				t.Errorf("problems:\n%s\nwant %q", text, tc.want)
			}
		})
	}
}

func TestKeys_maxKeysServesTheFirstByName(t *testing.T) {
	files := quickstart()
	files["instance.yaml"] = instanceYAML("{serves: {keys: {constraints: {maxKeys: 2}}}}")
	for _, name := range []string{"c", "a", "b"} {
		files[name+".yaml"] = keyCalled(name, "{}")
	}
	delete(files, "key.yaml")
	f := newFixture(t, files)
	s := f.open(nil)
	if diff := cmp.Diff([]string{"default/a", "default/b"}, f.servedKeys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if text := strings.Join(messages(f, s.Problems()), "\n"); !strings.Contains(text, "ApiKey default/c") || !strings.Contains(text, "maxKeys") {
		t.Errorf("problems:\n%s", text)
	}
	f.remove("a.yaml")
	reloadNow(t, s)
	if diff := cmp.Diff([]string{"default/b", "default/c"}, f.servedKeys()); diff != "" {
		t.Errorf("after one was removed (-want +got):\n%s", diff)
	}
}

func TestSet_redis(t *testing.T) {
	authority := certificate(t)
	quoted := "\"" + strings.ReplaceAll(authority, "\n", "\\n") + "\""
	const secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: redis}\nstringData: "
	bundle := "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ca}\ndata: {ca.crt: " + quoted + "}\n"
	const withSecret = `{redis: {address: "redis:6379", secretRef: {name: redis}}}`
	const withBundle = `{redis: {address: "redis:6379", tls: {caBundle: {configMapRef: {name: ca, key: ca.crt}}}}}`
	tests := map[string]struct {
		text       string
		want       *table.RedisState
		wantReason string
		wantPart   string
	}{
		"no Redis":               {text: instanceYAML("{}")},
		"no Secret is asked for": {text: instanceYAML(`{redis: {address: "redis:6379"}}`), want: &table.RedisState{}},
		"a password":             {text: instanceYAML(withSecret) + secret + "{password: p}\n", want: &table.RedisState{Password: table.NewSecret("p")}},
		"an empty password":      {text: instanceYAML(withSecret) + secret + "{password: ''}\n", want: &table.RedisState{}},
		"a user and the Sentinels": {
			text: instanceYAML(withSecret) + secret + "{username: u, password: p, sentinel-username: v, sentinel-password: q}\n",
			want: &table.RedisState{Username: "u", Password: table.NewSecret("p"), SentinelUsername: "v", SentinelPassword: table.NewSecret("q")},
		},
		"a bundle":             {text: instanceYAML(withBundle) + bundle, want: &table.RedisState{CABundle: []byte(authority)}},
		"no such Secret":       {text: instanceYAML(withSecret), wantReason: v1alpha1.ReasonRefNotFound, wantPart: `redis.secretRef: Secret "redis"`},
		"a Secret without one": {text: instanceYAML(withSecret) + secret + "{pass: p}\n", wantReason: v1alpha1.ReasonSecretEntryMissing, wantPart: "entry password"},
		"no such bundle":       {text: instanceYAML(withBundle), wantReason: v1alpha1.ReasonRefNotFound, wantPart: `redis.tls.caBundle: ConfigMap "ca"`},
		"a bundle of nothing": {
			text: instanceYAML(withBundle) + strings.Replace(bundle, quoted, "x", 1), wantReason: v1alpha1.ReasonInvalid, wantPart: "no PEM certificate",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t, map[string]string{"f.yaml": tc.text}).open(nil)
			if problems := s.Problems(); len(problems) > 0 {
				t.Fatalf("problems: %v", problems)
			}
			got := s.input.Redis
			if tc.wantReason != "" {
				if got == nil || got.Problem == nil || got.Problem.Reason != tc.wantReason || !strings.Contains(got.Problem.Message, tc.wantPart) {
					t.Errorf("got %+v", got)
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
