package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// writeSBOM writes the bill of materials. It is the same for the same source, so it has no serial number, and a time only if there
// is one to have.
func writeSBOM(out io.Writer, modules []*module, version, epoch string) error {
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{{
		Type: cdx.ComponentTypeApplication, Name: "vipcloud.ai/vipcloud/hack/tools/bom",
	}}}}
	if epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		bom.Metadata.Timestamp = time.Unix(seconds, 0).UTC().Format(time.RFC3339)
	}
	refs := map[string]string{}
	for _, m := range modules {
		if m.Main {
			m.Version = version
		}
		refs[m.Path] = purl(m)
	}
	var components []cdx.Component
	var dependencies []cdx.Dependency
	for _, m := range modules {
		component := componentOf(m)
		if m.Main {
			component.Type = cdx.ComponentTypeApplication
			bom.Metadata.Component = &component
		} else {
			components = append(components, component)
		}
		needs := make([]string, 0, len(m.needs))
		for _, path := range slices.Sorted(maps.Keys(m.needs)) {
			needs = append(needs, refs[path])
		}
		dependencies = append(dependencies, cdx.Dependency{Ref: refs[m.Path], Dependencies: &needs})
	}
	bom.Components, bom.Dependencies = &components, &dependencies
	encoder := cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON)
	encoder.SetPretty(true)
	if err := encoder.EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return fmt.Errorf("writing the bill of materials: %w", err)
	}
	return nil
}

// purl is the name by which databases of vulnerabilities know a module.
func purl(m *module) string {
	return "pkg:golang/" + m.Path + "@" + strings.ReplaceAll(m.Version, "+", "%2B")
}

// componentOf describes a module.
func componentOf(m *module) cdx.Component {
	component := cdx.Component{
		BOMRef: purl(m), Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: purl(m),
	}
	if names := m.licences(); len(names) > 0 {
		licences := make(cdx.Licenses, 0, len(names))
		for _, name := range names {
			licences = append(licences, cdx.LicenseChoice{License: &cdx.License{ID: name}})
		}
		component.Licenses = &licences
	}
	if m.Sum != "" {
		component.Properties = &[]cdx.Property{{Name: "vipcloud:go.sum", Value: m.Sum}}
	}
	return component
}
