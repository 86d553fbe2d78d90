package lint

import (
	"context"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/source/manifests"
	"vipcloud.ai/vipcloud/gateway/table"
)

// checkDocument checks one document by itself. Documents of other people's kinds are passed over.
func (r *run) checkDocument(ctx context.Context, d *manifests.Document) {
	gvk := d.GroupVersionKind()
	if gvk.Kind == "" || d.Value["apiVersion"] == nil {
		r.addError(d, "", "is no object: it needs apiVersion and kind")
		return
	}
	v := r.schemas[gvk]
	if v == nil && gvk.Group == v1alpha1.GroupVersion.Group {
		r.addError(d, "kind", fmt.Sprintf("%s is not served in %s", gvk.Kind, gvk.GroupVersion()))
		return
	}
	if v == nil && !manifests.Read(gvk) {
		return
	}
	r.place(d)
	before := len(r.findings)
	for _, p := range d.CheckMetadata() {
		r.findings.addProblem(p)
	}
	delete(d.Value, "status") // an API server drops it from what is applied
	if v != nil {
		r.checkMetadata(d)
		for _, e := range v.check(ctx, d.Value) {
			r.addError(d, e.path, e.message)
		}
	}
	if !manifests.Read(gvk) {
		r.checkTwin(d)
		return
	}
	r.decode(d, len(r.findings) > before)
}

// place puts an object that names no namespace into the one that was asked for, as kubectl apply and helm install would.
func (r *run) place(d *manifests.Document) {
	metadata, ok := d.Value["metadata"].(map[string]any)
	if r.namespace == "" || !ok || metadata["namespace"] != nil || d.Namespace() == "" {
		return
	}
	metadata["namespace"] = r.namespace
}

// checkTwin finds a second object of one name, of a kind that is not compiled.
func (r *run) checkTwin(d *manifests.Document) {
	if r.records == nil {
		r.records = map[manifests.ID]*manifests.Document{}
	}
	first := r.records[d.ID()]
	switch {
	case first == nil:
		r.records[d.ID()] = d
	case !reflect.DeepEqual(first.Value, d.Value):
		r.addError(d, "", fmt.Sprintf("is declared twice, and differently; first in %s:%d", first.File, first.Line))
	}
}

// decode adds the object to those that are compiled together. A broken one is there for others to refer to, if it can be read.
func (r *run) decode(d *manifests.Document, broken bool) {
	object, problems := d.Decode()
	if !broken {
		for _, p := range problems {
			r.findings.addProblem(p)
		}
	}
	if object == nil {
		return
	}
	r.objects = append(r.objects, object)
	if broken {
		if r.broken == nil {
			r.broken = map[manifests.ID]bool{}
		}
		r.broken[object.ID()] = true
	}
}

// addError adds an error of a field.
func (r *run) addError(d *manifests.Document, field, message string) {
	r.findings.addProblem(d.Problem(field, message))
}

// compile checks what only shows when objects are seen together, for each instance there is.
func (r *run) compile() {
	set, twins := manifests.NewSet(r.objects)
	for _, p := range twins {
		r.findings.addProblem(p)
	}
	states := r.states(set)
	keys := r.assign(set)
	for _, instance := range set.Instances() {
		_, findings := table.Build(table.Input{
			Instance: instance, Routes: set.Routes(), Keys: keys, Credentials: set.Credentials(), CredentialStates: states,
			Redis: r.redis(set, instance), Namespaces: set.Namespaces(), Providers: r.providers, NoCreationTimes: true,
		})
		for _, f := range findings {
			r.addFinding(set, f)
		}
	}
	r.checkServed(set)
	r.checkKeys(set)
	r.checkInstances(set)
}

// states says what is known of Secrets. One that is not among the manifests is only worth a warning: Secrets seldom are, and
// should not be.
func (r *run) states(set *manifests.Set) map[types.NamespacedName]table.CredentialState {
	states := set.States()
	for _, c := range set.Credentials() {
		id := types.NamespacedName{Namespace: c.Namespace, Name: c.Name}
		p := states[id].Problem
		if p == nil || p.Reason != v1alpha1.ReasonRefNotFound {
			continue
		}
		states[id] = table.CredentialState{}
		if !r.broken[manifests.ID{Kind: v1alpha1.KindProviderCredential, Namespace: c.Namespace, Name: c.Name}] {
			r.add(set, v1alpha1.KindProviderCredential, c.Namespace, c.Name, Warning, p.Reason, p.Message)
		}
	}
	return states
}

// redis says what is known of the Secret of an instance's Redis. As with credentials, one that is not among the manifests is only
// worth a warning.
func (r *run) redis(set *manifests.Set, instance *v1alpha1.GatewayInstance) *table.RedisState {
	state := set.Redis(instance)
	if state == nil || state.Problem == nil || state.Problem.Reason != v1alpha1.ReasonRefNotFound {
		return state
	}
	if !r.broken[manifests.ID{Kind: v1alpha1.KindGatewayInstance, Namespace: instance.Namespace, Name: instance.Name}] {
		r.add(set, v1alpha1.KindGatewayInstance, instance.Namespace, instance.Name, Warning, state.Problem.Reason, state.Problem.Message)
	}
	return &table.RedisState{}
}

// assign gives each key to the instance that would accept it.
func (r *run) assign(set *manifests.Set) []*v1alpha1.ApiKey {
	keys := make([]*v1alpha1.ApiKey, 0, len(set.Keys()))
	for _, declared := range set.Keys() {
		key := declared.DeepCopy()
		chosen, problem := table.ChooseInstance(key, set.Instances(), set.Namespaces(), nil)
		switch {
		case problem == nil:
			key.Status.Gateway = &v1alpha1.ObjectReference{
				Namespace: v1alpha1.NamespaceName(chosen.Namespace), Name: v1alpha1.ObjectName(chosen.Name),
			}
		case set.ImpliesInstance():
			// The instance lives elsewhere, and it will know.
		default:
			r.add(set, v1alpha1.KindApiKey, key.Namespace, key.Name, Error, problem.Reason, problem.Message)
		}
		keys = append(keys, key)
	}
	return keys
}

// checkServed warns of routes that no instance serves.
func (r *run) checkServed(set *manifests.Set) {
	namespaces := set.Namespaces()
	for _, route := range set.Routes() {
		served := false
		for _, instance := range set.Instances() {
			served = served || table.ServesRoutes(instance, route.Namespace, namespaces, nil)
		}
		if !served {
			r.add(set, v1alpha1.KindModelRoute, route.Namespace, route.Name, Warning, v1alpha1.ReasonNoGateway,
				fmt.Sprintf("no GatewayInstance among the manifests serves routes of namespace %s; extend serves.routes of one", route.Namespace))
		}
	}
}

// addFinding adds what the compiler says of an object, unless its errors are told already.
func (r *run) addFinding(set *manifests.Set, f table.Finding) {
	if f.Status || r.broken[manifests.ID(f.Object)] {
		return
	}
	severity := Error
	if f.Severity == table.Info {
		severity = Info
	}
	r.add(set, f.Object.Kind, f.Object.Namespace, f.Object.Name, severity, f.Reason, f.Message)
}

// add adds a finding at the beginning of an object.
func (r *run) add(set *manifests.Set, kind, namespace, name string, severity Severity, reason, message string) {
	f := Finding{Object: kind + " " + namespace + "/" + name, Severity: severity, Reason: reason, Message: message}
	if o := set.Find(kind, namespace, name); o != nil {
		f.File, f.Line = o.File, o.Line
	}
	r.findings = append(r.findings, f)
}
