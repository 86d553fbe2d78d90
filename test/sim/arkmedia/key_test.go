package arkmedia_test

import (
	"testing"

	"vipcloud.ai/vipcloud/test/sim"
	"vipcloud.ai/vipcloud/test/sim/arkmedia"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

func TestKey_isTheChatSimulators(t *testing.T) {
	if got, want := arkmedia.New(studio.Options{}).Key(), sim.New(sim.Ark, sim.Options{}).Key(); got != want {
		t.Errorf("key = %s, the chat simulator's is %s", got, want)
	}
}
