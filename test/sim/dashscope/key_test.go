package dashscope_test

import (
	"testing"

	"vipcloud.ai/vipcloud/test/sim"
	"vipcloud.ai/vipcloud/test/sim/dashscope"
	"vipcloud.ai/vipcloud/test/sim/studio"
)

func TestKey_isTheChatSimulators(t *testing.T) {
	if got, want := dashscope.New(studio.Options{}).Key(), sim.New(sim.Qwen, sim.Options{}).Key(); got != want {
		t.Errorf("key = %s, the chat simulator's is %s", got, want)
	}
}
