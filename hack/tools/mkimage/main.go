// Command mkimage writes a container image without a daemon and without a registry: one layer that holds the given files and
// nothing below it (FROM scratch), as an archive that docker load, kind load image-archive and ctr images import read. It depends on
// its input alone.
//
//	mkimage -o app.tar -name example.com/app:1 -entrypoint /app bin/app=/app
package main

import (
	"archive/tar"
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

// Set adds a value.
func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// options are the command line's.
type options struct {
	out, name, user           string
	entrypoint, labels, files list
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("mkimage: ")
	var o options
	flag.StringVar(&o.out, "o", "image.tar", "archive to write")
	flag.StringVar(&o.name, "name", "", "name of the image, with its tag")
	flag.StringVar(&o.user, "user", "65532:65532", "user and group that it runs as, by number")
	flag.Var(&o.entrypoint, "entrypoint", "one word of the entrypoint; repeatable")
	flag.Var(&o.labels, "label", "name=value; repeatable")
	flag.Parse()
	o.files = flag.Args()
	if err := o.write(); err != nil {
		log.Fatal(err)
	}
}

// write makes the image and writes it.
func (o *options) write() error {
	tag, err := name.NewTag(o.name, name.StrictValidation)
	if err != nil {
		return fmt.Errorf("reading -name: %w", err)
	}
	layer, err := o.layer()
	if err != nil {
		return err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return fmt.Errorf("adding the layer: %w", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", runtime.GOARCH, v1.Time{Time: time.Unix(0, 0).UTC()}
	config.Config = v1.Config{User: o.user, Entrypoint: o.entrypoint, WorkingDir: "/", Labels: map[string]string{}}
	for _, label := range o.labels {
		key, value, _ := strings.Cut(label, "=")
		config.Config.Labels[key] = value
	}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return fmt.Errorf("setting the configuration: %w", err)
	}
	if err := tarball.WriteToFile(o.out, tag, image); err != nil {
		return fmt.Errorf("writing %s: %w", o.out, err)
	}
	return nil
}

// layer holds the files, owned by root and without times.
func (o *options) layer() (v1.Layer, error) {
	var content bytes.Buffer
	w := tar.NewWriter(&content)
	for _, file := range o.files {
		from, to, ok := strings.Cut(file, "=/")
		if !ok {
			return nil, fmt.Errorf("reading the argument %q: want FILE=/PATH", file)
		}
		data, err := os.ReadFile(from)
		if err != nil {
			return nil, fmt.Errorf("reading a file: %w", err)
		}
		header := &tar.Header{Name: to, Mode: 0o755, Size: int64(len(data)), ModTime: time.Unix(0, 0), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("packing %s: %w", from, err)
		}
		if _, err := w.Write(data); err != nil {
			return nil, fmt.Errorf("packing %s: %w", from, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing: %w", err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content.Bytes())), nil })
	if err != nil {
		return nil, fmt.Errorf("making the layer: %w", err)
	}
	return layer, nil
}
