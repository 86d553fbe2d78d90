package lint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"vipcloud.ai/vipcloud/gateway/source/manifests"
	"vipcloud.ai/vipcloud/gateway/table"
)

// ErrFound means that there are errors, which have been printed.
var ErrFound = errors.New("the manifests have errors")

// NewCommand makes the command lint. Providers are the vendors that the gateway has adapters for. It fails with ErrFound if
// there are errors; warnings alone are no failure.
func NewCommand(providers table.Providers) *cobra.Command {
	format := "text"
	cmd := &cobra.Command{
		Use:   "lint PATH...",
		Short: "Check manifests without a cluster",
		Long: "Checks manifests as an API server and the operator would: schema, rules, and what only shows when objects are seen\n" +
			"together, such as two routes that claim one name. PATH is a file, a directory (read recursively) or - for standard\n" +
			"input. Exits with 1 if there are errors; warnings alone are no failure.",
		Args:         cobra.MinimumNArgs(1),
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			write, err := writerFor(format)
			if err != nil {
				return err
			}
			findings, err := Run(cmd.Context(), args, cmd.InOrStdin(), providers)
			if err != nil {
				return err
			}
			if err := write(cmd.OutOrStdout(), findings); err != nil {
				return fmt.Errorf("writing findings: %w", err)
			}
			if findings.Errors() > 0 {
				return ErrFound
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", format, "text or json")
	return cmd
}

// Run checks paths, where - is stdin. An error means that nothing could be checked, such as a path that does not exist.
func Run(ctx context.Context, paths []string, stdin io.Reader, providers table.Providers) (Findings, error) {
	all, err := loadSchemas()
	if err != nil {
		return nil, fmt.Errorf("loading schemas: %w", err)
	}
	r := &run{providers: providers, schemas: all}
	return r.check(ctx, paths, stdin)
}

// run is the state of one check.
type run struct {
	providers table.Providers
	schemas   schemas
	docs      []*manifests.Document
	objects   []*manifests.Object
	broken    map[manifests.ID]bool // objects whose errors are told already
	findings  Findings
}

// check is Run with schemas that are loaded already.
func (r *run) check(ctx context.Context, paths []string, stdin io.Reader) (Findings, error) {
	for _, path := range paths {
		if err := r.load(path, stdin); err != nil {
			return nil, err
		}
	}
	for _, d := range r.docs {
		r.checkDocument(ctx, d)
	}
	r.compile()
	return r.findings.sorted(), nil
}

// load reads the documents of a path.
func (r *run) load(path string, stdin io.Reader) error {
	if path == "-" {
		data, err := io.ReadAll(stdin)
		if err != nil {
			return fmt.Errorf("reading standard input: %w", err)
		}
		r.parse("<stdin>", data)
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("finding manifests: %w", err)
	}
	files := []string{path}
	if info.IsDir() {
		if files, _, err = manifests.ListFiles(path); err != nil {
			return fmt.Errorf("finding manifests: %w", err)
		}
	}
	for _, file := range files {
		if manifests.IsKustomization(file) {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading manifest: %w", err)
		}
		r.parse(file, data)
	}
	return nil
}

// parse adds the documents of a file.
func (r *run) parse(name string, data []byte) {
	docs, problems := manifests.Parse(name, data)
	r.docs = append(r.docs, docs...)
	for _, p := range problems {
		r.findings.addProblem(p)
	}
}
