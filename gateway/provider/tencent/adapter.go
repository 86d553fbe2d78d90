package tencent

import "vipcloud.ai/vipcloud/gateway/provider"

// Entries of the Secret.
const (
	idEntry  = "access-key"
	keyEntry = "secret-key"
)

// Adapter returns the adapter of Tencent Cloud. It wants the Secret's entries access-key (the SecretId) and secret-key. The endpoint
// is the domain in front of which each product's name is put, or an address that serves the products as it is.
func Adapter() provider.Adapter {
	return provider.Adapter{
		Info: provider.Info{
			Name:       "Tencent",
			Regions:    []provider.Region{{Name: "cn", Endpoint: "https://" + rootHost}},
			Entries:    [][]string{{idEntry, keyEntry}},
			Modalities: []provider.Modality{provider.ModalityImage, provider.ModalityVideo},
		},
		Image: images{},
		Video: videos{},
	}
}
