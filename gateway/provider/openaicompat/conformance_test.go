package openaicompat_test

import (
	"path/filepath"
	"strings"
	"testing"

	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/openaicompat"
	"vipcloud.ai/vipcloud/gateway/provider/providertest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	vendors := []struct {
		adapter provider.Adapter
		fixture providertest.Fixture
	}{
		{adapter: openaicompat.OpenAI(), fixture: providertest.Fixture{Endpoint: "https://llm.example.com/v1"}},
		{adapter: openaicompat.DeepSeek()},
		{adapter: openaicompat.Qwen()},
		{adapter: openaicompat.Moonshot()},
		{adapter: openaicompat.Zhipu()},
		{adapter: openaicompat.MiniMax()},
		{adapter: openaicompat.Ark()},
		{adapter: openaicompat.TokenHub()},
		{adapter: openaicompat.Qianfan()},
		{adapter: openaicompat.StepFun()},
		{adapter: openaicompat.Spark()},
		{adapter: openaicompat.SiliconFlow()},
		{adapter: openaicompat.Baichuan(), fixture: providertest.Fixture{Without: []string{"reasoning"}}},
		{adapter: openaicompat.Yi(), fixture: providertest.Fixture{Without: []string{"reasoning"}}},
		{adapter: openaicompat.MiMo()},
	}
	for _, v := range vendors {
		t.Run(v.adapter.Info.Name, func(t *testing.T) {
			t.Parallel()
			v.fixture.Dir = filepath.Join("testdata", strings.ToLower(v.adapter.Info.Name))
			providertest.Run(t, v.adapter, v.fixture)
		})
	}
}
