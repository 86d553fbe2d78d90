package table_test

import (
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

func TestBuild_Affinity(t *testing.T) {
	for name, tc := range map[string]struct {
		modality v1alpha1.Modality
		affinity v1alpha1.Affinity
		want     string
		wantPart string
	}{
		"unset":          {},
		"conversations":  {affinity: v1alpha1.AffinityConversation, want: "Conversation"},
		"another word":   {affinity: "Client", wantPart: `affinity is "Client"; use Conversation`},
		"of other media": {modality: v1alpha1.ModalitySpeech, affinity: v1alpha1.AffinityConversation, wantPart: "affinity is for modality Chat"},
	} {
		t.Run(name, func(t *testing.T) {
			route := makeRoute("shop", "r").modality(tc.modality).with(func(s *v1alpha1.ModelRouteSpec) { s.Affinity = tc.affinity })
			built, findings := table.Build(input(route, makeCredential("shop", "cred", vendor("MiniMax", ""))))
			if tc.wantPart != "" {
				message := wantFinding(t, findings, "shop", "r", v1alpha1.ConditionAccepted, "False/invalid Invalid")
				if !strings.Contains(message, tc.wantPart) || built.Resolve("r") != nil {
					t.Errorf("message %q", message)
				}
				return
			}
			wantFinding(t, findings, "shop", "r", v1alpha1.ConditionAccepted, "True Accepted")
			if r := built.Resolve("r"); r == nil || r.Affinity != tc.want {
				t.Errorf("got %+v, want %q", r, tc.want)
			}
		})
	}
}
