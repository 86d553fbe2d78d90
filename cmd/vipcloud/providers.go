package main

import (
	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

// providersOf is what the table and the controllers must know of the adapters: plain data.
func providersOf(adapters map[string]provider.Adapter) table.Providers {
	providers := make(table.Providers, len(adapters))
	for name, a := range adapters {
		providers[v1alpha1.Provider(name)] = a.Info
	}
	return providers
}
