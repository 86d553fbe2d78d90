package table_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/provider"
	"vipcloud.ai/vipcloud/gateway/table"
)

// epoch is when the oldest object of a test was made.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// meta makes the metadata of an object that is some minutes younger than epoch.
func meta(namespace, name string, minutes int) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace:         namespace,
		Name:              name,
		UID:               types.UID("uid-" + namespace + "-" + name),
		Generation:        1,
		CreationTimestamp: metav1.NewTime(epoch.Add(time.Duration(minutes) * time.Minute)),
	}
}

// routeBuilder makes ModelRoutes.
type routeBuilder struct{ route *v1alpha1.ModelRoute }

// makeRoute starts a route of one target, which uses the credential "cred" of its namespace.
func makeRoute(namespace, name string) *routeBuilder {
	b := &routeBuilder{&v1alpha1.ModelRoute{ObjectMeta: meta(namespace, name, 0)}}
	return b.target("main", "cred")
}

func (b *routeBuilder) with(change func(*v1alpha1.ModelRouteSpec)) *routeBuilder {
	change(&b.route.Spec)
	return b
}

func (b *routeBuilder) modality(m v1alpha1.Modality) *routeBuilder {
	b.route.Spec.Modality = m
	return b
}

func (b *routeBuilder) age(minutes int) *routeBuilder {
	b.route.CreationTimestamp = metav1.NewTime(epoch.Add(-time.Duration(minutes) * time.Minute))
	return b
}

func (b *routeBuilder) model(name string) *routeBuilder {
	b.route.Spec.Model = v1alpha1.ModelName(name)
	return b
}

func (b *routeBuilder) aliases(names ...v1alpha1.ModelName) *routeBuilder {
	b.route.Spec.Aliases = names
	return b
}

func (b *routeBuilder) fallbacks(names ...v1alpha1.ModelName) *routeBuilder {
	b.route.Spec.Fallbacks = names
	return b
}

func (b *routeBuilder) noTargets() *routeBuilder {
	b.route.Spec.Targets = nil
	return b
}

// target adds a target with a credential, given as name or namespace/name.
func (b *routeBuilder) target(name, credential string, change ...func(*v1alpha1.Target)) *routeBuilder {
	t := v1alpha1.Target{Name: name, Credential: reference(credential)}
	for _, f := range change {
		f(&t)
	}
	b.route.Spec.Targets = append(b.route.Spec.Targets, t)
	return b
}

// refused gives the route the status of one that lost its name in a generation.
func (b *routeBuilder) refused(generation int64) *routeBuilder {
	b.route.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNameTaken, ObservedGeneration: generation,
	}}
	return b
}

// reference reads name or namespace/name.
func reference(text string) v1alpha1.ObjectReference {
	for i := range text {
		if text[i] == '/' {
			return v1alpha1.ObjectReference{Namespace: v1alpha1.NamespaceName(text[:i]), Name: v1alpha1.ObjectName(text[i+1:])}
		}
	}
	return v1alpha1.ObjectReference{Name: v1alpha1.ObjectName(text)}
}

func weight(n int32) func(*v1alpha1.Target)   { return func(t *v1alpha1.Target) { t.Weight = &n } }
func priority(n int32) func(*v1alpha1.Target) { return func(t *v1alpha1.Target) { t.Priority = &n } }

// members makes body members of pairs of names and JSON values.
func members(pairs ...string) *v1alpha1.BodyMembers {
	m := &v1alpha1.BodyMembers{Members: map[string]json.RawMessage{}}
	for i := 0; i < len(pairs); i += 2 {
		m.Members[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	return m
}

// makeCredential makes a DeepSeek credential.
func makeCredential(namespace, name string, change ...func(*v1alpha1.ProviderCredentialSpec)) *v1alpha1.ProviderCredential {
	c := &v1alpha1.ProviderCredential{ObjectMeta: meta(namespace, name, 0)}
	c.Spec.Provider = v1alpha1.ProviderDeepSeek
	c.Spec.SecretRef.Name = "secret"
	for _, f := range change {
		f(&c.Spec)
	}
	return c
}

// allow lets other namespaces use a credential.
func allow(selection v1alpha1.NamespaceSelection) func(*v1alpha1.ProviderCredentialSpec) {
	return func(s *v1alpha1.ProviderCredentialSpec) { s.AllowedNamespaces = &selection }
}

// selector selects namespaces by one label.
func selector(label, value string) v1alpha1.NamespaceSelection {
	return v1alpha1.NamespaceSelection{
		From:     v1alpha1.NamespacesFromSelector,
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{label: value}},
	}
}

var (
	fromAll  = v1alpha1.NamespaceSelection{From: v1alpha1.NamespacesFromAll}
	fromSame = v1alpha1.NamespaceSelection{From: v1alpha1.NamespacesFromSame}
)

// makeInstance makes the instance platform/default, which serves everybody.
func makeInstance(change ...func(*v1alpha1.GatewayInstanceSpec)) *v1alpha1.GatewayInstance {
	i := &v1alpha1.GatewayInstance{ObjectMeta: meta("platform", "default", 0)}
	i.Spec.Serves = &v1alpha1.Serves{Routes: &v1alpha1.AllowedNamespaces{Namespaces: fromAll}}
	for _, f := range change {
		f(&i.Spec)
	}
	return i
}

// makeKey makes a generated key of platform/default whose hash is that of its name.
func makeKey(namespace, name string, change ...func(*v1alpha1.ApiKey)) *v1alpha1.ApiKey {
	k := &v1alpha1.ApiKey{ObjectMeta: meta(namespace, name, 0)}
	k.Status.Gateway = &v1alpha1.ObjectReference{Namespace: "platform", Name: "default"}
	k.Status.Hashes = []v1alpha1.KeyHash{{SHA256: hashOf(name)}}
	for _, f := range change {
		f(k)
	}
	return k
}

// providers are two vendors that chat, one that needs an endpoint, one that does nothing, and two that make media: one of two
// protocols and two ways to sign, the other of one each.
func providers() table.Providers {
	return table.Providers{
		v1alpha1.ProviderDeepSeek: {Name: "DeepSeek", Modalities: []provider.Modality{provider.ModalityChat}, Entries: [][]string{{"api-key"}},
			Regions: []provider.Region{{Name: "cn", Endpoint: "https://api.deepseek.com"}}},
		v1alpha1.ProviderQwen: {Name: "Qwen", Modalities: []provider.Modality{provider.ModalityChat}, Entries: [][]string{{"api-key"}}, Regions: []provider.Region{
			{Name: "cn", Endpoint: "https://cn.qwen.test/"}, {Name: "intl", Endpoint: "https://intl.qwen.test"}}},
		v1alpha1.ProviderOpenAI: {Name: "OpenAI", Modalities: []provider.Modality{provider.ModalityChat}, Entries: [][]string{{"api-key"}}},
		v1alpha1.ProviderSpark: {Name: "Spark", Entries: [][]string{{"app-id", "access-token"}},
			Regions: []provider.Region{{Name: "cn", Endpoint: "https://spark.test"}}},
		v1alpha1.ProviderKling: {Name: "Kling", Modalities: []provider.Modality{provider.ModalityVideo},
			Entries: [][]string{{"api-key"}, {"access-key", "secret-key"}}, Protocols: []string{"New", "Legacy"},
			Regions: []provider.Region{{Name: "intl", Endpoint: "https://intl.kling.test"}, {Name: "cn", Endpoint: "https://cn.kling.test"}}},
		v1alpha1.ProviderMiniMax: {Name: "MiniMax", Entries: [][]string{{"api-key"}},
			Modalities: []provider.Modality{provider.ModalityChat, provider.ModalityImage, provider.ModalitySpeech, provider.ModalityMusic},
			Regions:    []provider.Region{{Name: "intl", Endpoint: "https://minimax.test"}}},
	}
}

// ready is the state of a credential whose Secret is there.
func ready() table.CredentialState {
	return table.CredentialState{Entries: map[string]table.Secret{
		"api-key": table.NewSecret("sk-upstream-secret"), "app-id": table.NewSecret("app"), "access-token": table.NewSecret("token"),
	}}
}

// input puts objects together; every credential is ready.
func input(objects ...any) table.Input {
	in := table.Input{
		Instance:         makeInstance(),
		CredentialStates: map[types.NamespacedName]table.CredentialState{},
		Providers:        providers(),
		Namespaces: map[string]map[string]string{
			"platform": {"team": "platform"}, "shop": {"team": "retail"}, "bank": {"team": "finance"},
		},
	}
	for _, o := range objects {
		switch o := o.(type) {
		case *routeBuilder:
			in.Routes = append(in.Routes, o.route)
		case *v1alpha1.ProviderCredential:
			in.Credentials = append(in.Credentials, o)
			in.CredentialStates[types.NamespacedName{Namespace: o.Namespace, Name: o.Name}] = ready()
		case *v1alpha1.ApiKey:
			in.Keys = append(in.Keys, o)
		case *v1alpha1.GatewayInstance:
			in.Instance = o
		default:
			panic(fmt.Sprintf("a %T is no object of an input", o))
		}
	}
	return in
}

// finding returns the one finding of a type on an object, as "True Reason", "False/severity Reason" or "none", and its message.
func finding(f table.Findings, kind, namespace, name, condition string) (string, string) {
	for _, x := range f.For(table.ObjectRef{Kind: kind, Namespace: namespace, Name: name}) {
		if x.Type != condition {
			continue
		}
		if x.Status {
			return "True " + x.Reason, x.Message
		}
		return fmt.Sprintf("False/%s %s", x.Severity, x.Reason), x.Message
	}
	return "none", ""
}

// routeFinding is finding for routes.
func routeFinding(f table.Findings, namespace, name, condition string) (string, string) {
	return finding(f, table.KindModelRoute, namespace, name, condition)
}

// wantFinding checks the finding of a route.
func wantFinding(t *testing.T, f table.Findings, namespace, name, condition, want string) string {
	t.Helper()
	got, message := routeFinding(f, namespace, name, condition)
	if got != want {
		t.Errorf("%s/%s %s: got %q (%s), want %q", namespace, name, condition, got, message, want)
	}
	return message
}

// served lists the routes of a table as model=namespace/name.
func served(t *table.Table) []string {
	var list []string
	for _, r := range t.Routes() {
		list = append(list, r.Model+"="+r.Namespace+"/"+r.Name)
	}
	return list
}

// holder names the route of a public name, or nobody.
func holder(t *table.Table, name string) string {
	if r := t.Resolve(name); r != nil {
		return r.Namespace + "/" + r.Name
	}
	return "nobody"
}
