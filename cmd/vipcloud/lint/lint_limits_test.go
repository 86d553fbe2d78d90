package lint

import (
	"strings"
	"testing"
)

// instanceOf is the instance system/default with a spec in flow style.
func instanceOf(spec string) string { return strings.Replace(instance, "spec: {}", "spec: "+spec, 1) }

// keyOf is the key shop/shop with a spec in flow style.
func keyOf(spec string) string { return strings.Replace(key, "spec: {}", "spec: "+spec, 1) }

func TestLint_limits(t *testing.T) {
	const atInstance, atKey = `<stdin>:2: GatewayInstance system/default: `, `<stdin>:7: ApiKey shop/shop: `
	both := func(instanceSpec, keySpec string) string { return instanceOf(instanceSpec) + keyOf(keySpec) }
	tests := map[string]struct {
		text string
		want []string
	}{
		"all is well": {text: both(
			`{redis: {address: "redis:6379"}, limitsFailurePolicy: Deny, demo: {models: ["*"], budget: {amount: "1", period: Day}}, `+
				`serves: {keys: {constraints: {limits: {requestsPerMinute: 60}, budget: {amount: "5", period: Day}, maxKeys: 1}}}}`,
			`{limits: {requestsPerMinute: 0}, budget: {amount: "50.00", currency: USD, period: Month}}`)},
		"a budget that only a rule refuses": {text: keyOf(`{budget: {amount: "9000001", period: Day}}`), want: []string{
			`<stdin>:5: ApiKey shop/shop: spec.budget: budget: amount must be at most 9000000; use a smaller one, or remove the budget for no bound`,
		}},
		"a negative limit": {text: keyOf(`{limits: {requestsPerMinute: -1}}`), want: []string{
			`<stdin>:5: ApiKey shop/shop: spec.limits.requestsPerMinute: should be greater than or equal to 0`,
		}},
		"a budget in another currency": {text: both(`{currency: CNY}`, `{budget: {amount: "1", currency: USD, period: Day}}`), want: []string{
			atKey + `budget.currency is USD, but that of the GatewayInstance is CNY; use that one or remove it`,
		}},
		"constraints in another currency": {
			text: both(`{serves: {keys: {constraints: {budget: {amount: "1", currency: EUR, period: Day}}}}}`, `{}`), want: []string{
				`<stdin>:5: GatewayInstance system/default: spec: serves.keys.constraints.budget.currency must be the instance's currency; use that one or remove it`,
				atKey + `GatewayInstance system/default: serves.keys.constraints.budget.currency is EUR`,
			},
		},
		"more keys than may be": {
			text: instanceOf(`{serves: {keys: {constraints: {maxKeys: 1}}}}`) + key + strings.Replace(key, "name: shop,", "name: web,", 1), want: []string{
				atKey + `of namespace shop GatewayInstance system/default accepts no more than the oldest 1 ApiKeys; delete`,
				`<stdin>:12: ApiKey shop/web: of namespace shop GatewayInstance system/default accepts no more than the oldest 1 ApiKeys; delete`,
			},
		},
		"a Redis without its Secret is only a warning": {text: instanceOf(`{redis: {address: "redis:6379", secretRef: {name: redis}}}`), want: []string{
			`<stdin>:2: warning: GatewayInstance system/default: redis.secretRef: Secret "redis" is not among the manifests; add it`,
		}},
		"a Redis whose Secret says nothing": {
			text: instanceOf(`{redis: {address: "redis:6379", secretRef: {name: deepseek}}}`) + secret, want: []string{
				atInstance + `redis.secretRef: Secret "deepseek" needs the entry password; add it`,
			},
		},
		"a policy without a Redis": {text: instanceOf(`{limitsFailurePolicy: Allow}`), want: []string{
			`<stdin>:5: GatewayInstance system/default: spec: limitsFailurePolicy says what happens while Redis is away; set redis or remove limitsFailurePolicy`,
		}},
		"a pattern that the constraints exclude": {
			text: route + credential + secret + instanceOf(`{serves: {keys: {constraints: {models: [qwen3-max]}}}}`) + keyOf(`{models: ["deepseek-*"]}`), want: []string{
				`info: ApiKey shop/shop: no model that this key may see matches deepseek-*; correct models, or add a route`,
			},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			out, _ := text(t, tc.text)
			var lines []string
			if out != "" {
				lines = strings.Split(strings.TrimSuffix(out, "\n"), "\n")
			}
			if len(lines) != len(tc.want) {
				t.Fatalf("%d findings, want %d:\n%s", len(lines), len(tc.want), out)
			}
			for i, want := range tc.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("finding %q, want %q", lines[i], want)
				}
			}
		})
	}
}
