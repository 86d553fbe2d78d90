package all

import (
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/provider/ark"
	"vipcloud.ai/vipcloud/gateway/provider/dashscope"
	"vipcloud.ai/vipcloud/gateway/provider/minimax"
	"vipcloud.ai/vipcloud/gateway/provider/tokenhub"
	"vipcloud.ai/vipcloud/gateway/provider/zhipuspeech"
)

// addMedia gives a vendor's adapter what the vendor serves beside chat, over protocols of its own.
func addMedia(a *provider.Adapter) {
	switch a.Info.Name {
	case "Ark":
		a.Image, a.Video = ark.Image(), ark.Video()
	case "MiniMax":
		a.Speech, a.Video = minimax.Speech(), minimax.Video()
	case "Qwen":
		a.Image, a.Video = dashscope.Image(), dashscope.Video()
	case "TokenHub":
		a.Image, a.Video = tokenhub.Image(), tokenhub.Video()
	case "Zhipu":
		a.Speech = zhipuspeech.Speech()
	}
	for _, capability := range []struct {
		modality provider.Modality
		served   bool
	}{
		{provider.ModalityImage, a.Image != nil},
		{provider.ModalityVideo, a.Video != nil},
		{provider.ModalitySpeech, a.Speech != nil},
		{provider.ModalityMusic, a.Music != nil},
	} {
		if capability.served && !a.Info.Serves(capability.modality) {
			a.Info.Modalities = append(a.Info.Modalities, capability.modality)
		}
	}
}
