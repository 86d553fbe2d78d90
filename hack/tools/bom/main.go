// Command bom says what the binary is made of, from the packages that are linked into it: whether all their licences are allowed,
// what their texts are, and a bill of materials in CycloneDX's format. It runs in the root of the checkout, reads the module
// cache and asks nobody else.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

const usage = `usage: bom licences | notices | sbom VERSION
  licences   fail unless every module that is linked has a licence that is allowed; lists them
  notices    the texts of all licences, as they must go along with the binary
  sbom       the bill of materials as CycloneDX JSON; SOURCE_DATE_EPOCH is its time, without it has none
`

func main() {
	out := bufio.NewWriter(os.Stdout)
	err := run(out, os.Args[1:])
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bom:", err)
		os.Exit(1)
	}
}

// run does what the arguments say.
func run(out io.Writer, args []string) error {
	if len(args) == 0 || (args[0] == "sbom") != (len(args) == 2) {
		return fmt.Errorf("what to do?\n%s", usage)
	}
	modules, err := linkedModules("./cmd/vipcloud")
	if err != nil {
		return err
	}
	if err := readLicences(modules); err != nil {
		return err
	}
	switch args[0] {
	case "licences":
		return checkLicences(out, modules)
	case "notices":
		return writeNotices(out, modules)
	case "sbom":
		return writeSBOM(out, modules, args[1], os.Getenv("SOURCE_DATE_EPOCH"))
	}
	return fmt.Errorf("unknown command %q\n%s", args[0], usage)
}

// writeNotices prints every text once, below the modules that it belongs to.
func writeNotices(out io.Writer, modules []*module) error {
	for _, m := range modules {
		for _, f := range m.files {
			if _, err := fmt.Fprintf(out, "%s\n%s %s: %s\n%s\n\n%s\n\n", strings.Repeat("=", 80), m.Path, m.Version, f.name,
				strings.Repeat("=", 80), strings.TrimSpace(f.text)); err != nil {
				return err
			}
		}
	}
	return nil
}
