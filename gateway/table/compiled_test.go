package table_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/table"
)

// exportAll lets cmp look into every type.
func exportAll(reflect.Type) bool { return true }

// compiled are credentials in every state.
func compiled() []table.CompiledCredential {
	binary := ready()
	binary.Entries["binary"] = table.NewSecret("\xff\x00\n\"<&>")
	binary.CABundle, binary.ProxyUsername, binary.ProxyPassword = []byte("-----BEGIN"), "us\xffer", table.NewSecret("pass\x00word")
	return []table.CompiledCredential{
		{Credential: makeCredential("shop", "cred", headers("X-Team", "a"), allow(selector("team", "x")), proxy("http://p.test")), State: binary},
		{Credential: makeCredential("bank", "z"), State: table.CredentialState{Problem: &table.Problem{Severity: table.Invalid, Reason: "Invalid", Message: "why"}}},
		{Credential: makeCredential("bank", "a", endpoint("https://x.test"), private, insecure), State: table.CredentialState{Entries: map[string]table.Secret{}}},
		{Credential: makeCredential("bank", "b", func(s *v1alpha1.ProviderCredentialSpec) {
			none := int64(0)
			s.Limits = &v1alpha1.CredentialLimits{RequestsPerMinute: &none}
		})},
		{Credential: makeCredential("bank", "c", vendor("Kling", "cn"), protocol("Kling", "Legacy")), State: ready()},
	}
}

func TestCredentials_RoundTrip(t *testing.T) {
	data, err := table.EncodeCredentials(compiled())
	if err != nil {
		t.Fatal(err)
	}
	if len(data) != 1 || !bytes.HasPrefix(data["credentials.json"], []byte(`{"v":1,`)) {
		t.Errorf("the entries are %v", reflect.ValueOf(data).MapKeys())
	}
	data["keyring.json"] = []byte("not for this codec")
	creds, states, err := table.DecodeCredentials(data)
	if err != nil {
		t.Fatal(err)
	}
	wantStates := map[types.NamespacedName]table.CredentialState{}
	wantSpecs, specs := map[string]v1alpha1.ProviderCredentialSpec{}, map[string]v1alpha1.ProviderCredentialSpec{}
	for _, c := range compiled() {
		wantStates[types.NamespacedName{Namespace: c.Credential.Namespace, Name: c.Credential.Name}] = c.State
		wantSpecs[c.Credential.Namespace+"/"+c.Credential.Name] = c.Credential.Spec
	}
	for _, c := range creds {
		specs[c.Namespace+"/"+c.Name] = c.Spec
	}
	if diff := cmp.Diff(wantStates, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantSpecs, specs, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("specs (-want +got):\n%s", diff)
	}
}

func TestEncodeCredentials_IsDeterministic(t *testing.T) {
	want, err := table.EncodeCredentials(compiled())
	if err != nil {
		t.Fatal(err)
	}
	reversed := compiled()
	slices.Reverse(reversed)
	got, err := table.EncodeCredentials(reversed)
	if err != nil || !bytes.Equal(want["credentials.json"], got["credentials.json"]) {
		t.Errorf("another order gives other bytes, %v", err)
	}
	empty, err := table.EncodeCredentials(nil)
	if err != nil || string(empty["credentials.json"]) != `{"v":1,"credentials":[]}` {
		t.Errorf("no credentials give %s, %v", empty["credentials.json"], err)
	}
}

func TestEncodeCredentials_RefusesTwins(t *testing.T) {
	if _, err := table.EncodeCredentials(append(compiled(), compiled()[0])); !errors.Is(err, table.ErrCompiledFormat) {
		t.Errorf("got %v", err)
	}
}

func TestDecodeCredentials_Refuses(t *testing.T) {
	const marker = "hunter2"
	tests := map[string]struct {
		data map[string][]byte
		want error
	}{
		"no entry":              {map[string][]byte{"other": nil}, table.ErrNotCompiled},
		"no data":               {nil, table.ErrNotCompiled},
		"an empty entry":        {map[string][]byte{"credentials.json": nil}, table.ErrCompiledFormat},
		"no JSON":               {map[string][]byte{"credentials.json": []byte(marker)}, table.ErrCompiledFormat},
		"no version":            {map[string][]byte{"credentials.json": []byte(`{"credentials":[]}`)}, table.ErrCompiledVersion},
		"a later version":       {map[string][]byte{"credentials.json": []byte(`{"v":2,"credentials":"hunter2"}`)}, table.ErrCompiledVersion},
		"entries of wrong type": {map[string][]byte{"credentials.json": []byte(`{"v":1,"credentials":[{"entries":{"api-key":"hunter2!"}}]}`)}, table.ErrCompiledFormat},
		"a number for a value":  {map[string][]byte{"credentials.json": []byte(`{"v":1,"credentials":[{"entries":{"api-key":12345}}]}`)}, table.ErrCompiledFormat},
		"an unknown severity":   {map[string][]byte{"credentials.json": []byte(`{"v":1,"credentials":[{"problem":{"severity":"hunter2"}}]}`)}, table.ErrCompiledFormat},
		"twins":                 {map[string][]byte{"credentials.json": []byte(`{"v":1,"credentials":[{"name":"a"},{"name":"b"},{"name":"a"}]}`)}, table.ErrCompiledFormat},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			creds, states, err := table.DecodeCredentials(tc.data)
			if !errors.Is(err, tc.want) || creds != nil || states != nil {
				t.Errorf("got %v, %v, %v; want %v", creds, states, err, tc.want)
			}
			if strings.Contains(err.Error(), marker) || strings.Contains(err.Error(), "12345") {
				t.Errorf("the error quotes what it read: %v", err)
			}
		})
	}
}

func TestDecodeCredentials_IgnoresWhatItDoesNotKnow(t *testing.T) {
	data := map[string][]byte{"credentials.json": []byte(`{"v":1,"new":1,"credentials":[{"namespace":"n","name":"a","new":[],"spec":{"provider":"DeepSeek","new":{}}}]}`)}
	creds, states, err := table.DecodeCredentials(data)
	if err != nil || len(creds) != 1 || creds[0].Spec.Provider != v1alpha1.ProviderDeepSeek || len(states) != 1 {
		t.Errorf("got %v, %v, %v", creds, states, err)
	}
}

// The gateway builds from the compiled Secret what the operator would build from the objects.
func TestCredentials_GiveTheSameTableOnBothSides(t *testing.T) {
	operator := input(append(credentials(), makeRoute("shop", "a"), makeRoute("bank", "b").noTargets().target("main", "broken"),
		makeCredential("bank", "broken", endpoint("ftp://x")),
		makeRoute("bank", "video").modality(v1alpha1.ModalityVideo).noTargets().target("main", "kling"),
		makeCredential("bank", "kling", vendor("Kling", "cn"), protocol("Kling", "Legacy")))...)
	var list []table.CompiledCredential
	for _, c := range operator.Credentials {
		list = append(list, table.CompiledCredential{Credential: c, State: operator.CredentialStates[types.NamespacedName{Namespace: c.Namespace, Name: c.Name}]})
	}
	data, err := table.EncodeCredentials(list)
	if err != nil {
		t.Fatal(err)
	}
	gateway := operator
	if gateway.Credentials, gateway.CredentialStates, err = table.DecodeCredentials(data); err != nil {
		t.Fatal(err)
	}
	wantTable, wantFindings := table.Build(operator)
	gotTable, gotFindings := table.Build(gateway)
	if !wantTable.Equal(gotTable) {
		t.Error("the tables differ")
	}
	if kling := gotTable.Resolve("video").Tiers[0].Targets[0].Credential; kling.Protocol != "Legacy" || kling.Region != "cn" {
		t.Errorf("protocol %q and region %q on the gateway's side", kling.Protocol, kling.Region)
	}
	if diff := cmp.Diff(wantFindings, gotFindings); diff != "" {
		t.Errorf("-operator +gateway:\n%s", diff)
	}
}

func FuzzDecodeCredentials(f *testing.F) {
	seed, err := table.EncodeCredentials(compiled())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed["credentials.json"])
	f.Add([]byte(`{"v":1}`))
	f.Add([]byte(`{"v":1,"credentials":[{"entries":{}},{"name":"a","entries":null,"problem":{"severity":"degraded"}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		creds, states, err := table.DecodeCredentials(map[string][]byte{"credentials.json": raw})
		if err != nil {
			return
		}
		list := make([]table.CompiledCredential, 0, len(creds))
		for _, c := range creds {
			list = append(list, table.CompiledCredential{Credential: c, State: states[types.NamespacedName{Namespace: c.Namespace, Name: c.Name}]})
		}
		again, err := table.EncodeCredentials(list)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		creds2, states2, err := table.DecodeCredentials(again)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if diff := cmp.Diff(states, states2, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("states:\n%s", diff)
		}
		one, _ := json.Marshal(creds)
		two, _ := json.Marshal(creds2)
		if !bytes.Equal(one, two) {
			t.Fatalf("credentials:\n%s\n%s", one, two)
		}
	})
}
