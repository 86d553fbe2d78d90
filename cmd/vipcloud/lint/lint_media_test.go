package lint

import (
	"strings"
	"testing"
)

const (
	videoRoute = `apiVersion: vipcloud.ai/v1alpha1
kind: ModelRoute
metadata: {name: kling-3, namespace: system}
spec:
  modality: Video
  pricing:
    currency: USD
    perSecond: "0.084"
    variants:
    - {name: hd, when: {resolution: 1080p, audio: true}, perSecond: "0.168"}
  results: {proxy: true}
  targets:
  - name: primary
    credential: {name: kling}
`
	videoCredential = `---
apiVersion: vipcloud.ai/v1alpha1
kind: ProviderCredential
metadata: {name: kling, namespace: system}
spec:
  provider: Kling
  protocol: Legacy
  secretRef: {name: kling}
`
	videoSecret = `---
apiVersion: v1
kind: Secret
metadata: {name: kling, namespace: system}
stringData: {access-key: ak-upstream-secret, secret-key: sk-upstream-secret}
`
)

func TestLint_media(t *testing.T) {
	good := videoRoute + videoCredential + videoSecret + instance
	const atRoute, atSpec = `<stdin>:1: ModelRoute system/kling-3: `, `<stdin>:4: ModelRoute system/kling-3: spec: `
	notReady := atRoute + `targets[primary].credential: ProviderCredential system/kling is not ready`
	cases := map[string]struct {
		text string
		want []string
	}{
		"all is well": {text: good},
		"a price of another modality": {text: change(t, good, `perSecond: "0.084"`, `perImage: "0.084"`), want: []string{
			atSpec + `perImage is for modality Image; remove it, or set modality to Image (perRequest fits every modality)`,
		}},
		"a chat, by what it is otherwise": {text: change(t, good, "modality: Video", "modality: Chat"), want: []string{
			atSpec + `perSecond and perVideo are for modality Video`,
			atSpec + `results is for modality Video or Music`,
			atSpec + `when.resolution and when.audio are for modality Video`,
		}},
		"a resolution in another spelling": {text: change(t, good, "resolution: 1080p", "resolution: 1080P"), want: []string{
			`<stdin>:10: ModelRoute system/kling-3: spec.pricing.variants[0].when.resolution: should match '^[1-9][0-9]*[pk]$'`,
		}},
		"voices of a video": {text: change(t, good, "  results:", "  voices: [{name: a, id: b}]\n  results:"), want: []string{
			atSpec + `voices are for modality Speech; remove voices, or set modality to Speech`,
		}},
		"a voice twice": {text: change(t, good, "  results:", "  voices: [{name: a, id: b}, {name: a, id: c}]\n  results:"), want: []string{
			atSpec + `voices are for modality Speech`,
			`<stdin>:11: ModelRoute system/kling-3: spec.voices[1]: appears twice in this list`,
		}},
		"a vendor that does something else": {
			text: change(t, change(t, good, "provider: Kling", "provider: DeepSeek"), "  protocol: Legacy\n", ""),
			want: []string{notReady, `<stdin>:16: ProviderCredential system/kling: Secret "kling" lacks what provider DeepSeek needs: api-key; add it`},
		},
		"a modality that the vendor does not have": {text: route + credential + secret + instance +
			"---\n" + change(t, videoRoute, "{name: kling}", "{name: deepseek}"), want: []string{
			`<stdin>:27: ModelRoute system/kling-3: targets[primary].credential: provider DeepSeek does not serve modality Video; use another credential`,
		}},
		"a protocol that the vendor does not speak": {text: change(t, good, "protocol: Legacy", "protocol: V3"), want: []string{
			notReady,
			`<stdin>:19: ProviderCredential system/kling: spec: protocol is New or Legacy for Kling, V3 or V1 for DoubaoSpeech, Platform or Skywork for Mureka`,
		}},
		"half of what the vendor needs": {text: change(t, good, "access-key: ak-upstream-secret, ", ""), want: []string{
			notReady,
			`<stdin>:16: ProviderCredential system/kling: Secret "kling" lacks what provider Kling needs: api-key, or access-key and secret-key; add it`,
		}},
	}
	for name, tc := range cases {
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
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("finding %q, want %q", lines[i], want)
				}
			}
			if strings.Contains(out, "upstream-secret") {
				t.Errorf("a value that may be secret is printed:\n%s", out)
			}
		})
	}
}
