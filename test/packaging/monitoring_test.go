package packaging

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// monitored are the objects of config/prometheus.
func monitored(t *testing.T) map[string]object {
	t.Helper()
	return decode(t, build(t, "prometheus"))
}

// alert is a rule.
type alert struct {
	Alert, Expr string
	Labels      map[string]string
	Annotations map[string]string
}

// alerts are those of config/prometheus.
func alerts(t *testing.T) []alert {
	t.Helper()
	var spec struct {
		Groups []struct{ Rules []alert }
	}
	into(t, monitored(t)["PrometheusRule/vipcloud-system/vipcloud"].at("spec"), &spec)
	if len(spec.Groups) != 1 || len(spec.Groups[0].Rules) == 0 {
		t.Fatal("no alerts")
	}
	return spec.Groups[0].Rules
}

// into copies a tree into a structure.
func into(t *testing.T, tree, structure any) {
	t.Helper()
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, structure); err != nil {
		t.Fatal(err)
	}
}

func TestRulesPassTheirUnitTests(t *testing.T) {
	text, err := yaml.Marshal(monitored(t)["PrometheusRule/vipcloud-system/vipcloud"].at("spec"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"rules.yaml": string(text), "rules_test.yaml": read(t, "testdata/rules_test.yaml")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	promtool := tool(t, "promtool")
	run(t, nil, promtool, "check", "rules", filepath.Join(dir, "rules.yaml"))
	stdout, stderr, err := try(t, nil, promtool, "test", "rules", filepath.Join(dir, "rules_test.yaml"))
	if err != nil {
		t.Errorf("promtool: %v\n%s%s", err, stdout, stderr)
	}
}

func TestEveryAlertIsSeenFiringAndQuietAndHasARunbook(t *testing.T) {
	tests := read(t, "testdata/rules_test.yaml")
	index := read(t, filepath.Join(root, "docs", "runbooks", "README.md"))
	known := map[string]bool{"README.md": true}
	for _, a := range alerts(t) {
		for _, words := range []string{"fires", "is quiet"} {
			if !strings.Contains(tests, "- name: "+a.Alert+" "+words+"\n") {
				t.Errorf("no unit test in which %s %s", a.Alert, words)
			}
		}
		if !slices.Contains([]string{"critical", "warning", "info"}, a.Labels["severity"]) {
			t.Errorf("%s: severity %q", a.Alert, a.Labels["severity"])
		}
		page := a.Alert + ".md"
		known[page] = true
		if a.Annotations["runbook_url"] != "https://vipcloud.ai/docs/runbooks/"+a.Alert {
			t.Errorf("%s: runbook_url is %s", a.Alert, a.Annotations["runbook_url"])
		}
		text := read(t, filepath.Join(root, "docs", "runbooks", page))
		for _, part := range []string{"# " + a.Alert + "\n", "Severity: " + a.Labels["severity"], a.Expr, "## What it means", "## Where to look", "## What to do"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %q", page, part)
			}
		}
		if !strings.Contains(index, "["+a.Alert+"]("+page+")") {
			t.Errorf("the index of runbooks lacks %s", a.Alert)
		}
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if !known[filepath.Base(page)] {
			t.Errorf("%s is about no alert", page)
		}
	}
}

// panel is what is looked at of a dashboard's panel.
type panel struct {
	ID      int
	Title   string
	Type    string
	Targets []struct{ Expr string }
}

// dashboard is that of config/prometheus.
func dashboard(t *testing.T) []panel {
	t.Helper()
	text, _ := monitored(t)["ConfigMap/vipcloud-system/vipcloud-dashboard"].at("data", "vipcloud.json").(string)
	var d struct{ Panels []panel }
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("the dashboard is no JSON: %v", err)
	}
	return d.Panels
}

// expressions are all queries, by where they stand.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, a := range alerts(t) {
		all["alert "+a.Alert] = a.Expr
	}
	ids := map[int]bool{}
	for _, p := range dashboard(t) {
		if ids[p.ID] {
			t.Errorf("panel %q: its id is another one's", p.Title)
		}
		ids[p.ID] = true
		if len(p.Targets) == 0 && p.Type != "row" {
			t.Errorf("panel %q asks for nothing", p.Title)
		}
		for i, target := range p.Targets {
			all[fmt.Sprintf("panel %s, query %d", p.Title, i)] = strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")
		}
	}
	// Queries that pages tell people to ask.
	pages, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	query := regexp.MustCompile("`([^`]*(?:vipcloud_|gen_ai_server|controller_runtime_)[^`]*\\([^`]*)`")
	for _, page := range pages {
		for _, found := range query.FindAllStringSubmatch(read(t, page), -1) {
			all[filepath.Base(page)+": "+found[1]] = strings.Join(strings.Fields(found[1]), " ")
		}
	}
	return all
}

// knownMetrics are the metrics of docs/metrics.md with their labels, and of the runtimes what is used.
func knownMetrics(t *testing.T) map[string][]string {
	t.Helper()
	known := map[string][]string{"process_resident_memory_bytes": nil, "go_goroutines": nil}
	row := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (?:([a-z]+) \\| )?([^|]*) \\| .* \\|$")
	label := regexp.MustCompile("`([a-z_]+)`")
	for _, m := range row.FindAllStringSubmatch(read(t, filepath.Join(root, "docs", "metrics.md")), -1) {
		labels := []string{}
		for _, l := range label.FindAllStringSubmatch(m[3], -1) {
			labels = append(labels, l[1])
		}
		names := []string{m[1]}
		if m[2] == "histogram" {
			names = []string{m[1] + "_bucket", m[1] + "_sum", m[1] + "_count"}
			labels = append(labels, "le")
		}
		for _, name := range names {
			known[name] = append(known[name], labels...)
		}
	}
	if len(known) < 40 {
		t.Fatalf("only %d metrics were found on the page", len(known))
	}
	return known
}

// asked is what the tool promql says of an expression.
type asked struct {
	Error   string
	Metrics []struct {
		Name   string
		Labels []string
	}
	Groups []string
}

// ask parses expressions.
func ask(t *testing.T, expressions []string) []asked {
	t.Helper()
	in, err := json.Marshal(expressions)
	if err != nil {
		t.Fatal(err)
	}
	var answers []asked
	if err := json.Unmarshal([]byte(run(t, in, tool(t, "promql"))), &answers); err != nil {
		t.Fatal(err)
	}
	if len(answers) != len(expressions) {
		t.Fatalf("%d answers to %d expressions", len(answers), len(expressions))
	}
	return answers
}

// complaints says what is wrong with an expression.
func (a asked) complaints(known map[string][]string) []string {
	if a.Error != "" {
		return []string{a.Error}
	}
	// Those that Prometheus itself adds, by where it found a process.
	scraped := []string{"namespace", "pod", "job", "instance", "container", "endpoint", "service"}
	var found, labels []string
	for _, m := range a.Metrics {
		own, ok := known[m.Name]
		if !ok {
			found = append(found, "there is no metric "+m.Name)
			continue
		}
		labels = append(labels, own...)
		for _, l := range m.Labels {
			if !slices.Contains(own, l) && !slices.Contains(scraped, l) {
				found = append(found, m.Name+" has no label "+l)
			}
		}
	}
	for _, g := range a.Groups {
		if !slices.Contains(labels, g) && !slices.Contains(scraped, g) {
			found = append(found, "nothing has label "+g)
		}
	}
	return found
}

func TestQueriesAskForWhatThereIs(t *testing.T) {
	all, known := expressions(t), knownMetrics(t)
	var places, texts []string
	for place, text := range all {
		places, texts = append(places, place), append(texts, text)
	}
	for i, a := range ask(t, texts) {
		for _, c := range a.complaints(known) {
			t.Errorf("%s: %s", places[i], c)
		}
	}
}

func TestQueriesThatAskForWhatThereIsNotAreFound(t *testing.T) {
	known := knownMetrics(t)
	for text, want := range map[string]string{
		`rate(vipcloud_nothing_total[5m])`:                                       "no metric vipcloud_nothing_total",
		`vipcloud_target_state{model="m"}`:                                       "no label model",
		`sum by (le, model) (rate(vipcloud_overhead_seconds_bucket[5m]))`:        "nothing has label model",
		`vipcloud_overhead_seconds`:                                              "no metric vipcloud_overhead_seconds",
		`sum by (`:                                                               "parse error",
		`vipcloud_target_state / on (color) group_left () vipcloud_build_info`:   "nothing has label color",
		`max(vipcloud_operator_key_budgets{spent="exhausted",currency="CNY"})>0`: "no label currency",
	} {
		if got := strings.Join(ask(t, []string{text})[0].complaints(known), "; "); !strings.Contains(got, want) {
			t.Errorf("%s: %q does not say %q", text, got, want)
		}
	}
}

func TestChartHasTheMonitoringOfConfig(t *testing.T) {
	args := []string{"--set", "metrics.serviceMonitor.enabled=true,monitoring.podMonitor.enabled=true,monitoring.rules.enabled=true,monitoring.dashboard.enabled=true"}
	charted := decode(t, render(t, args...))
	for key, want := range monitored(t) {
		for _, field := range []string{"spec", "data"} {
			if diff := cmp.Diff(want.at(field), charted[key].at(field)); diff != "" {
				t.Errorf("%s, %s (-config +chart):\n%s", key, field, diff)
			}
		}
	}
	if labels, _ := charted["ConfigMap/vipcloud-system/vipcloud-dashboard"].at("metadata", "labels").(map[string]any); labels["grafana_dashboard"] != "1" {
		t.Errorf("Grafana's sidecar does not find the dashboard: %v", labels)
	}
	for key := range decode(t, render(t)) {
		if _, optional := monitored(t)[key]; optional {
			t.Errorf("%s is there although nobody asked for it", key)
		}
	}
	namespaced := decode(t, render(t, append(args, "--set", "watchNamespaces={vipcloud-system,shop}")...))
	got := namespaced["PodMonitor/vipcloud-system/vipcloud-gateway"].at("spec", "namespaceSelector", "matchNames")
	if diff := cmp.Diff([]any{"vipcloud-system", "shop"}, got); diff != "" {
		t.Errorf("namespaces of gateways in namespaced mode:\n%s", diff)
	}
}

func TestPodMonitorFindsGateways(t *testing.T) {
	labels, _ := monitored(t)["PodMonitor/vipcloud-system/vipcloud-gateway"].at("spec", "selector", "matchLabels").(map[string]any)
	golden := read(t, filepath.Join(root, "controllers", "render", "testdata", "defaults.yaml"))
	for name, value := range labels {
		if !strings.Contains(golden, fmt.Sprintf("        %s: %s\n", name, value)) {
			t.Errorf("pods of gateways have no label %s: %s", name, value)
		}
	}
	if !strings.Contains(golden, "name: admin\n") {
		t.Error("pods of gateways have no port admin")
	}
}
