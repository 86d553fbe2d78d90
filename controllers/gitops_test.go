package controllers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

// sampleObjects are the objects of our kinds of every sample, which people copy. What two samples share is there once.
func sampleObjects(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "config", "samples", "*", "*.yaml"))
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d samples: %v", len(paths), err)
	}
	var objects []*unstructured.Unstructured
	known := map[string]bool{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text))); ; {
			doc, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			asJSON, jsonErr := yaml.YAMLToJSONStrict(doc)
			obj := &unstructured.Unstructured{}
			if err := errors.Join(err, jsonErr, obj.UnmarshalJSON(asJSON)); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			id := obj.GetKind() + "/" + obj.GetNamespace() + "/" + obj.GetName()
			if own := obj.GroupVersionKind().GroupVersion() == v1alpha1.GroupVersion; own && !known[id] {
				known[id] = true
				objects = append(objects, obj)
			}
		}
	}
	return objects
}

// TestGitOps_SeesNoDifferenceBesideTheOperator applies every sample as tools do, lets the operator do all it does with them, and
// asks what the tools would: the patch from live to desired is empty, and a dry run of a server-side apply changes nothing.
func TestGitOps_SeesNoDifferenceBesideTheOperator(t *testing.T) {
	t.Run("client-side apply", func(t *testing.T) {
		w := newWorld(t)
		w.playSamples(t, func(desired *unstructured.Unstructured) error {
			live := desired.DeepCopy()
			live.SetAnnotations(map[string]string{corev1.LastAppliedConfigAnnotation: mustJSON(t, desired)})
			return w.Create(w.ctx, live)
		}, func(desired, live *unstructured.Unstructured) error {
			original := live.GetAnnotations()[corev1.LastAppliedConfigAnnotation]
			modified := desired.DeepCopy()
			modified.SetAnnotations(map[string]string{corev1.LastAppliedConfigAnnotation: original})
			patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch([]byte(original), []byte(mustJSON(t, modified)), []byte(mustJSON(t, live)))
			if err == nil && string(patch) != "{}" {
				err = fmt.Errorf("a tool wants to patch %s", patch)
			}
			return err
		})
	})
	t.Run("server-side apply", func(t *testing.T) {
		w := newWorld(t)
		apply := func(desired *unstructured.Unstructured, opts ...client.ApplyOption) (*unstructured.Unstructured, error) {
			obj := desired.DeepCopy()
			// No force: the operator must own nothing that the manifest has.
			err := w.Apply(w.ctx, client.ApplyConfigurationFromUnstructured(obj), append(opts, client.FieldOwner("gitops-tool"))...)
			return obj, err
		}
		w.playSamples(t, func(desired *unstructured.Unstructured) error {
			_, err := apply(desired)
			return err
		}, func(desired, live *unstructured.Unstructured) error {
			dry, err := apply(desired, client.DryRunAll)
			if err != nil {
				return err
			}
			if diff := cmp.Diff(withoutBookkeeping(live), withoutBookkeeping(dry)); diff != "" {
				return fmt.Errorf("a dry run differs from what is live (-live +dry run):\n%s", diff)
			}
			return nil
		})
	})
}

// playSamples makes every object of the samples, waits until the operator has looked at it, and compares.
func (w *world) playSamples(t *testing.T, apply func(*unstructured.Unstructured) error, compare func(desired, live *unstructured.Unstructured) error) {
	t.Helper()
	samples := sampleObjects(t)
	for _, desired := range samples {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: desired.GetNamespace()}}
		if err := w.Create(w.ctx, ns); err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
		if err := apply(desired); err != nil {
			t.Fatalf("applying %s %s: %v", desired.GetKind(), desired.GetName(), err)
		}
	}
	looked := 0
	for _, desired := range samples {
		w.eventually(desired.GetKind()+" "+desired.GetName(), func() error {
			live := desired.DeepCopy()
			if err := w.Get(w.ctx, client.ObjectKeyFromObject(desired), live); err != nil {
				return err
			}
			if name, _ := stateOf(live); name == "new" || name == "changed" {
				return errors.New("the operator has not looked at it")
			}
			return compare(desired, live)
		})
		looked++
	}
	if looked < 50 {
		t.Errorf("only %d objects were compared", looked)
	}
}

func mustJSON(t *testing.T, obj *unstructured.Unstructured) string {
	t.Helper()
	text, err := json.Marshal(obj.Object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// withoutBookkeeping leaves out what tools leave out.
func withoutBookkeeping(obj *unstructured.Unstructured) map[string]any {
	obj = obj.DeepCopy()
	obj.SetManagedFields(nil)
	obj.SetResourceVersion("")
	return obj.Object
}
