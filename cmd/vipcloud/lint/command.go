package lint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"vipcloud.ai/vipcloud/gateway/source/manifests"
	"vipcloud.ai/vipcloud/gateway/table"
)

// ErrFound means that there are errors, which have been printed.
var ErrFound = errors.New("the manifests have errors")

// Exit codes of the command, beside 0: they are a contract with pipelines.
const (
	// ExitFound says that the manifests have errors.
	ExitFound = 1
	// ExitUnchecked says that nothing can be said of them: a wrong flag, a path that cannot be read, no input.
	ExitUnchecked = 2
)

// UncheckedError says why nothing was checked.
type UncheckedError struct{ cause error }

// Error implements error.
func (e *UncheckedError) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *UncheckedError) Unwrap() error { return e.cause }

// unchecked makes an UncheckedError; nil stays nil.
func unchecked(err error) error {
	if err == nil {
		return nil
	}
	return &UncheckedError{cause: err}
}

// options are the flags.
type options struct {
	format    string
	namespace string
	strict    bool
}

// NewCommand makes the command lint. Providers are the vendors that the gateway has adapters for. It fails with ErrFound if
// there are errors, with an UncheckedError if it could not look; warnings alone are no failure unless --strict is given.
func NewCommand(providers table.Providers) *cobra.Command {
	o := options{format: "text", namespace: manifests.DefaultNamespace}
	cmd := &cobra.Command{
		Use:   "lint PATH...",
		Short: "Check manifests without a cluster",
		Long: "Checks manifests as an API server and the operator would: schema, rules, and what only shows when objects are seen\n" +
			"together, such as two routes that claim one name. PATH is a file, a directory (read recursively) or - for standard\n" +
			"input, so that it can stand behind helm template or kustomize build. Objects of other people's kinds are passed over.\n\n" +
			"Exits with 0 if there is no error, with 1 if there are errors (or, with --strict, warnings), and with 2 if nothing\n" +
			"could be checked: a wrong flag, a path that cannot be read, an empty standard input.",
		Args: func(cmd *cobra.Command, args []string) error {
			return unchecked(cobra.MinimumNArgs(1)(cmd, args))
		},
		SilenceUsage: true,
		RunE:         func(cmd *cobra.Command, args []string) error { return lintAndWrite(cmd, args, providers, o) },
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return unchecked(err) })
	cmd.Flags().StringVarP(&o.format, "output", "o", o.format, "text or json")
	cmd.Flags().StringVarP(&o.namespace, "namespace", "n", o.namespace, "namespace of objects that name none")
	cmd.Flags().BoolVar(&o.strict, "strict", o.strict, "let warnings fail too")
	return cmd
}

// lintAndWrite is what the command does.
func lintAndWrite(cmd *cobra.Command, args []string, providers table.Providers, o options) error {
	write, err := writerFor(o.format)
	if err != nil {
		return unchecked(err)
	}
	r, err := newRun(providers)
	if err != nil {
		return unchecked(err)
	}
	r.namespace = o.namespace
	findings, err := r.check(cmd.Context(), args, cmd.InOrStdin())
	if err != nil {
		return unchecked(err)
	}
	if err := write(cmd.OutOrStdout(), findings); err != nil {
		return unchecked(fmt.Errorf("writing findings: %w", err))
	}
	if findings.Errors() > 0 || (o.strict && findings.count(Warning) > 0) {
		return ErrFound
	}
	return nil
}

// Run checks paths, where - is stdin. An error means that nothing could be checked, such as a path that does not exist.
func Run(ctx context.Context, paths []string, stdin io.Reader, providers table.Providers) (Findings, error) {
	r, err := newRun(providers)
	if err != nil {
		return nil, err
	}
	return r.check(ctx, paths, stdin)
}

// newRun begins a check.
func newRun(providers table.Providers) (*run, error) {
	all, err := loadSchemas()
	if err != nil {
		return nil, fmt.Errorf("loading schemas: %w", err)
	}
	return &run{providers: providers, schemas: all, now: time.Now()}, nil
}

// errNoInput keeps a pipeline whose first half has failed from looking like one in which all is well.
var errNoInput = errors.New("standard input is empty: there is nothing to check")

// run is the state of one check.
type run struct {
	providers table.Providers
	schemas   schemas
	namespace string // of objects that name none; empty: default
	now       time.Time
	docs      []*manifests.Document
	records   map[manifests.ID]*manifests.Document // objects of our kinds that only programs read
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
		if len(bytes.TrimSpace(data)) == 0 {
			return errNoInput
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
