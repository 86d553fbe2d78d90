// Command charts writes the Helm charts under charts/ from config/ and from the skeletons beside this file. Skeletons hold what
// is Helm's: values, conditions, names that a release chooses. Everything that config/ decides (rules, ports, probes, security
// contexts, CRDs) is read from there, so the two ways to install cannot drift apart.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "charts:", err)
		os.Exit(1)
	}
}

// run writes the charts of the checkout at root.
func run(root string) error {
	objects, err := loadObjects(root)
	if err != nil {
		return err
	}
	crds, err := loadCRDs(root)
	if err != nil {
		return err
	}
	files, err := renderSkeletons(root, objects, crds)
	if err != nil {
		return err
	}
	for _, crd := range crds {
		files["vipcloud/crds/"+crd.file] = crd.text
		files["vipcloud-crds/templates/"+crd.file] = keptCRD(crd.text)
	}
	return replaceCharts(root, files)
}
