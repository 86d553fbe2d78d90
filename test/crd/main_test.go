package crd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

const (
	crdDir     = "../../config/crd/bases"
	samplesDir = "../../config/samples"
)

// server is the one API server of this package. TestMain sets it; tests run one after the other.
var server struct {
	client.Client
	config *rest.Config
}

func TestMain(m *testing.M) {
	code, err := withServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// withServer runs the tests beside an API server that has our definitions and nothing else.
func withServer(tests func() int) (code int, err error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return 1, errors.New("KUBEBUILDER_ASSETS is not set, so there is no API server to ask: run `make test-crd`")
	}
	environment := &envtest.Environment{CRDDirectoryPaths: []string{crdDir}, ErrorIfCRDPathMissing: true}
	// Before Start, which leaves a half-started control plane behind.
	defer func() { err = errors.Join(err, environment.Stop()) }()
	config, err := environment.Start()
	if err != nil {
		return 1, fmt.Errorf("starting the API server: %w", err)
	}
	if err := connect(config); err != nil {
		return 1, err
	}
	return tests(), nil
}

func connect(config *rest.Config) error {
	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		return fmt.Errorf("registering types: %w", err)
	}
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("connecting to the API server: %w", err)
	}
	// Strict, so that a field that does not exist is an error and not a warning.
	server.Client, server.config = client.WithFieldValidation(c, metav1.FieldValidationStrict), config
	return nil
}

// create makes an object, and its namespace if need be, and deletes the object when the test ends.
func create(t *testing.T, obj client.Object) error {
	t.Helper()
	ensureNamespace(t, obj.GetNamespace())
	deleteAtEnd(t, obj)
	return server.Create(t.Context(), obj)
}

func ensureNamespace(t *testing.T, name string) {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := server.Create(t.Context(), namespace); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatalf("creating namespace %q: %v", name, err)
	}
}

func deleteAtEnd(t *testing.T, obj client.Object) {
	t.Helper()
	t.Cleanup(func() {
		// t.Context is over by now.
		if err := client.IgnoreNotFound(server.Delete(context.Background(), obj)); err != nil {
			t.Errorf("deleting %s: %v", obj.GetName(), err)
		}
	})
}
