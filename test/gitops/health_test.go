package gitops

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// customizations is laid out as in Argo CD's own repository: a folder for each group, and in it one for each kind.
const customizations = "../../config/argocd/resource_customizations"

// health is what a script returns.
type health struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// healthTests is a health_test.yaml.
type healthTests struct {
	Tests []struct {
		HealthStatus health `json:"healthStatus"`
		InputPath    string `json:"inputPath"`
	} `json:"tests"`
}

// folders are those of the kinds that have a health check.
func folders(t *testing.T) []string {
	t.Helper()
	scripts, err := filepath.Glob(filepath.Join(customizations, "*", "*", "health.lua"))
	if err != nil || len(scripts) < 5 {
		t.Fatalf("%d health checks: %v", len(scripts), err)
	}
	for i := range scripts {
		scripts[i] = filepath.Dir(scripts[i])
	}
	return scripts
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// readObject reads a recorded state, numbers as an API server's client has them.
func readObject(t *testing.T, path string) map[string]any {
	t.Helper()
	text, err := yaml.YAMLToJSON([]byte(read(t, path)))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(text); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return object.Object
}

// judge runs a script as Argo CD runs one that an admin configures: of the libraries base, table and package alone, for a second
// at most.
func judge(script string, object any) (health, error) {
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer l.Close()
	for name, open := range map[string]lua.LGFunction{lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := l.CallByParam(lua.P{Fn: l.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return health{}, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	l.SetContext(ctx)
	l.SetGlobal("obj", toLua(l, object))
	if err := l.DoString(script); err != nil {
		return health{}, err
	}
	result, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		return health{}, fmt.Errorf("the script returns a %s, want a table", l.Get(-1).Type())
	}
	return health{Status: field(result, "status"), Message: field(result, "message")}, nil
}

// field is a member that is a text.
func field(table *lua.LTable, name string) string {
	s, _ := table.RawGetString(name).(lua.LString)
	return string(s)
}

// toLua turns a value into Lua's.
func toLua(l *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case bool:
		return lua.LBool(v)
	case string:
		return lua.LString(v)
	case float64:
		return lua.LNumber(v)
	case int64:
		return lua.LNumber(v)
	case []any:
		table := l.NewTable()
		for _, item := range v {
			table.Append(toLua(l, item))
		}
		return table
	case map[string]any:
		table := l.NewTable()
		for name, member := range v {
			table.RawSetString(name, toLua(l, member))
		}
		return table
	}
	return lua.LNil
}

func TestHealth_ofEveryRecordedState(t *testing.T) {
	for _, folder := range folders(t) {
		script := read(t, filepath.Join(folder, "health.lua"))
		var tests healthTests
		if err := yaml.UnmarshalStrict([]byte(read(t, filepath.Join(folder, "health_test.yaml"))), &tests); err != nil {
			t.Fatal(err)
		}
		var covered []string
		for _, tc := range tests.Tests {
			covered = append(covered, filepath.Join(folder, tc.InputPath))
			t.Run(filepath.Base(folder)+"/"+filepath.Base(tc.InputPath), func(t *testing.T) {
				object := readObject(t, filepath.Join(folder, tc.InputPath))
				if object["kind"] != filepath.Base(folder) {
					t.Errorf("a %v in the folder of %s", object["kind"], filepath.Base(folder))
				}
				got, err := judge(script, object)
				if err != nil {
					t.Fatal(err)
				}
				if got != tc.HealthStatus {
					t.Errorf("health is %+v, want %+v", got, tc.HealthStatus)
				}
			})
		}
		states, err := filepath.Glob(filepath.Join(folder, "testdata", "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, state := range states {
			if !slices.Contains(covered, state) {
				t.Errorf("%s is in no test of health_test.yaml", state)
			}
		}
	}
}

// TestBothToolsReadEveryStateAlike asks Flux's status library of each state, whose name says what is meant, and holds Argo CD's
// health against it.
func TestBothToolsReadEveryStateAlike(t *testing.T) {
	wants := map[string]struct {
		flux kstatus.Status
		argo []string
	}{
		"new":     {kstatus.InProgressStatus, []string{"Progressing"}},
		"changed": {kstatus.InProgressStatus, []string{"Progressing"}},
		"waiting": {kstatus.InProgressStatus, []string{"Progressing"}},
		// What serves in part is nothing that a deployment should fail for, and nothing that an admin should not see.
		"partial": {kstatus.InProgressStatus, []string{"Degraded"}},
		"stalled": {kstatus.FailedStatus, []string{"Degraded", "Suspended"}},
		"ready":   {kstatus.CurrentStatus, []string{"Healthy"}},
	}
	for _, folder := range folders(t) {
		states, err := filepath.Glob(filepath.Join(folder, "testdata", "*.yaml"))
		if err != nil || len(states) < 3 {
			t.Fatalf("%d states in %s: %v", len(states), folder, err)
		}
		for _, state := range states {
			t.Run(filepath.Base(folder)+"/"+filepath.Base(state), func(t *testing.T) {
				class, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(state), ".yaml"), "_")
				want, ok := wants[class]
				if !ok {
					t.Fatalf("a name that begins with %q says nothing", class)
				}
				object := readObject(t, state)
				got, err := kstatus.Compute(&unstructured.Unstructured{Object: object})
				if err != nil {
					t.Fatal(err)
				}
				if got.Status != want.flux {
					t.Errorf("Flux says %s (%s), want %s", got.Status, got.Message, want.flux)
				}
				argo, err := judge(read(t, filepath.Join(folder, "health.lua")), object)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Contains(want.argo, argo.Status) {
					t.Errorf("Argo CD says %s, want %v", argo.Status, want.argo)
				}
			})
		}
	}
}

// TestHealth_bearsAnything: an object that is being deleted, half written or of a later version must not break the tree that an
// admin looks at.
func TestHealth_bearsAnything(t *testing.T) {
	objects := map[string]any{
		"nothing":                          map[string]any{},
		"no status":                        map[string]any{"metadata": map[string]any{"generation": int64(1)}},
		"a status that is none":            map[string]any{"metadata": map[string]any{"generation": int64(1)}, "status": "x"},
		"conditions that are none":         map[string]any{"metadata": map[string]any{"generation": int64(1)}, "status": map[string]any{"observedGeneration": int64(1), "conditions": "x"}},
		"a condition that is none":         map[string]any{"metadata": map[string]any{"generation": int64(1)}, "status": map[string]any{"observedGeneration": int64(1), "conditions": []any{"x", map[string]any{}}}},
		"no Ready":                         map[string]any{"metadata": map[string]any{"generation": int64(1)}, "status": map[string]any{"observedGeneration": int64(1), "conditions": []any{map[string]any{"type": "Other", "status": "True"}}}},
		"without metadata":                 map[string]any{"status": map[string]any{"observedGeneration": int64(1), "conditions": []any{map[string]any{"type": "Ready", "status": "True"}}}},
		"being deleted although it serves": map[string]any{"metadata": map[string]any{"generation": int64(1), "deletionTimestamp": "2027-01-01T00:00:00Z"}, "status": map[string]any{"observedGeneration": int64(1), "conditions": []any{map[string]any{"type": "Ready", "status": "True"}}}},
	}
	for _, folder := range folders(t) {
		script := read(t, filepath.Join(folder, "health.lua"))
		for name, object := range objects {
			got, err := judge(script, object)
			if err != nil || got.Status != "Progressing" || got.Message == "" {
				t.Errorf("%s, %s: %+v, error %v; want Progressing and why", filepath.Base(folder), name, got, err)
			}
		}
	}
}
