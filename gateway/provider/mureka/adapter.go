package mureka

import (
	"context"
	"time"

	"vipcloud.ai/vipcloud/gateway/provider"
)

// The values of ProviderCredential.spec.protocol. An empty one stands for the first.
const (
	protocolPlatform = "Platform"
	protocolSkywork  = "Skywork"
)

// regions are the hosts of the platform. Skywork's gateway, which takes the same songs, is at a host of its own, and has to be given
// as the endpoint.
func regions() []provider.Region {
	return []provider.Region{
		{Name: "cn", Endpoint: "https://api.mureka.cn"},
		{Name: "intl", Endpoint: "https://api.mureka.ai"},
	}
}

// Adapter returns the adapter of Mureka.
func Adapter() provider.Adapter {
	return provider.Adapter{
		Info: provider.Info{
			Name: "Mureka", Regions: regions(), Entries: [][]string{{keyEntry}}, Protocols: []string{protocolPlatform, protocolSkywork},
			Modalities: []provider.Modality{provider.ModalityMusic},
		},
		Music: music{},
	}
}

// music makes songs and instrumentals. It has no state.
type music struct{}

var _ provider.Music = music{}

// Cancel implements provider.Tasks: the vendor has no such call.
func (music) Cancel(context.Context, *provider.Upstream, provider.Task, time.Time) (*provider.Step[provider.TaskState], error) {
	return nil, nil
}
