// Package all lists the adapters of all vendors. It is the one place that knows which vendors exist, and the only importer of
// the packages that serve them.
package all

import (
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/doubaospeech"
	"vipcloud.ai/vipcloud/gateway/provider/kling"
	"vipcloud.ai/vipcloud/gateway/provider/mureka"
	"vipcloud.ai/vipcloud/gateway/provider/openaicompat"
	"vipcloud.ai/vipcloud/gateway/provider/tencent"
	"vipcloud.ai/vipcloud/gateway/provider/vidu"
)

// Adapters returns the adapter of each vendor by its name, the value of ProviderCredential.spec.provider. The map is the
// caller's; the adapters are immutable and safe for concurrent use.
func Adapters() map[string]provider.Adapter {
	list := []provider.Adapter{
		openaicompat.OpenAI(),
		openaicompat.DeepSeek(),
		openaicompat.Qwen(),
		openaicompat.Moonshot(),
		openaicompat.Zhipu(),
		openaicompat.MiniMax(),
		openaicompat.Ark(),
		openaicompat.TokenHub(),
		openaicompat.Qianfan(),
		openaicompat.StepFun(),
		openaicompat.Spark(),
		openaicompat.SiliconFlow(),
		openaicompat.Baichuan(),
		openaicompat.Yi(),
		openaicompat.MiMo(),
		doubaospeech.Adapter(),
		kling.Adapter(),
		mureka.Adapter(),
		tencent.Adapter(),
		vidu.Adapter(),
	}
	adapters := make(map[string]provider.Adapter, len(list))
	for _, a := range list {
		addMedia(&a)
		adapters[a.Info.Name] = a
	}
	return adapters
}
