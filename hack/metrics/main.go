// Command metrics writes docs/metrics.md: every metric that the gateway and the operator register, as they register it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "metrics:", err)
		os.Exit(1)
	}
}

// run writes the page of the checkout at root.
func run(root string) error {
	text, err := page()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "docs", "metrics.md"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}
