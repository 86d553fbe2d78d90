// Package crd carries the generated CustomResourceDefinitions, for programs that check manifests without an API server.
package crd

import "embed"

// Bases holds the definitions as bases/*.yaml, one in each file.
//
//go:embed bases/*.yaml
var Bases embed.FS
