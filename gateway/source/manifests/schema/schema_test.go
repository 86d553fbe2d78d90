package schema

import (
	"encoding/json"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// definitionYAML has one field for everything that is checked.
const definitionYAML = `
spec:
  group: example.com
  names: {kind: Thing}
  versions:
  - name: v1
    served: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          apiVersion: {type: string}
          kind: {type: string}
          metadata: {type: object}
          spec:
            type: object
            default: {}
            required: [need]
            properties:
              need: {type: string}
              enum: {type: string, enum: [A, B], default: A}
              short: {type: string, minLength: 2, maxLength: 3}
              pattern: {type: string, pattern: "^[a-z]+$"}
              time: {type: string, format: date-time}
              small: {type: integer, format: int32}
              bounded: {type: integer, minimum: 1, maximum: 5}
              ratio: {type: number}
              flag: {type: boolean}
              none: {type: string, nullable: true}
              any: {type: object, x-kubernetes-preserve-unknown-fields: true}
              labels: {type: object, additionalProperties: {type: string}, maxProperties: 1}
              free: {type: object, additionalProperties: true}
              port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}], pattern: "^[a-z]+$"}
              list: {type: array, minItems: 1, maxItems: 2, items: {type: string}}
              set: {type: array, x-kubernetes-list-type: set, items: {type: string}}
              map:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  properties: {name: {type: string}, size: {type: integer, default: 7}}
  - name: v0
    served: false
    schema: {openAPIV3Schema: {type: object}}
`

// load reads the definition of these tests.
func load(t *testing.T) *Set {
	t.Helper()
	s, err := Load(fstest.MapFS{"d/x.yaml": {Data: []byte(definitionYAML)}}, "d")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var thing = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Thing"}

func TestCheck(t *testing.T) {
	cases := map[string]struct {
		spec string
		want []string
	}{
		"all is well":                      {spec: `{"need":"x","short":"ab","pattern":"z","time":"2026-01-01T00:00:00Z","small":3,"bounded":5,"ratio":1,"flag":true,"port":"http","list":["a"],"set":["a","b"],"map":[{"name":"a"},{"name":"b"}],"any":{"x":{"y":1}},"labels":{"a":"b"},"free":{"q":1}}`},
		"a number with a fraction":         {spec: `{"need":"x","ratio":1.5,"port":80}`},
		"something is missing":             {spec: `{}`, want: []string{"spec.need: is required"}},
		"a null that means unset":          {spec: `{"need":null}`, want: []string{"spec.need: is required"}},
		"a null that is allowed":           {spec: `{"need":"x","none":null}`},
		"an unknown field":                 {spec: `{"need":"x","what":1}`, want: []string{"spec.what: unknown field"}},
		"another case":                     {spec: `{"need":"x","Flag":true}`, want: []string{"spec.Flag: unknown field"}},
		"a wrong type":                     {spec: `{"need":7}`, want: []string{"spec.need: must be a text, not a whole number"}},
		"an object for a list":             {spec: `{"need":"x","list":{}}`, want: []string{"spec.list: must be a list, not an object"}},
		"not of the enum":                  {spec: `{"need":"x","enum":"C"}`, want: []string{"spec.enum: must be one of A, B"}},
		"too short":                        {spec: `{"need":"x","short":"a"}`, want: []string{"spec.short: must have at least 2 characters"}},
		"too long":                         {spec: `{"need":"x","short":"abcd"}`, want: []string{"spec.short: must have at most 3 characters"}},
		"three characters, 9 bytes":        {spec: `{"need":"x","short":"模型价"}`},
		"not the pattern":                  {spec: `{"need":"x","pattern":"A"}`, want: []string{"spec.pattern: must match ^[a-z]+$"}},
		"no time":                          {spec: `{"need":"x","time":"tomorrow"}`, want: []string{"spec.time: must be a time such as 2027-01-01T00:00:00Z"}},
		"too large for 32 bits":            {spec: `{"need":"x","small":3000000000}`, want: []string{"spec.small: must be at most 2147483647"}},
		"too small":                        {spec: `{"need":"x","bounded":0}`, want: []string{"spec.bounded: must be at least 1"}},
		"too large":                        {spec: `{"need":"x","bounded":6}`, want: []string{"spec.bounded: must be at most 5"}},
		"a fraction for a whole":           {spec: `{"need":"x","bounded":1.5}`, want: []string{"spec.bounded: must be a whole number, not a number"}},
		"a text for a number that is none": {spec: `{"need":"x","port":"80x"}`, want: []string{"spec.port: must match ^[a-z]+$"}},
		"neither number nor text":          {spec: `{"need":"x","port":true}`, want: []string{"spec.port: must be a number or a text"}},
		"an empty list":                    {spec: `{"need":"x","list":[]}`, want: []string{"spec.list: must have at least 1 entries"}},
		"a long list":                      {spec: `{"need":"x","list":["a","b","c"]}`, want: []string{"spec.list: must have at most 2 entries"}},
		"a list of something else":         {spec: `{"need":"x","list":["a",1]}`, want: []string{"spec.list[1]: must be a text, not a whole number"}},
		"twice in a set":                   {spec: `{"need":"x","set":["a","b","a"]}`, want: []string{"spec.set[2]: appears twice in this list"}},
		"twice in a list by name":          {spec: `{"need":"x","map":[{"name":"a"},{"name":"a","size":1}]}`, want: []string{"spec.map[1]: appears twice in this list"}},
		"a map of something else":          {spec: `{"need":"x","labels":{"a":1}}`, want: []string{"spec.labels.a: must be a text, not a whole number"}},
		"a large map":                      {spec: `{"need":"x","labels":{"a":"1","b":"2"}}`, want: []string{"spec.labels: must have at most 1 members"}},
		"several at once":                  {spec: `{"flag":1,"what":2}`, want: []string{"spec.need: is required", "spec.flag: must be a boolean, not a whole number", "spec.what: unknown field"}},
	}
	s := load(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var object map[string]any
			if err := utiljson.Unmarshal([]byte(`{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"x","anything":1},"spec":`+tc.spec+`}`), &object); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range s.Check(thing, object) {
				got = append(got, p.Path+": "+p.Message)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheck_fillsDefaults(t *testing.T) {
	object := map[string]any{"spec": map[string]any{"need": "x", "enum": nil, "map": []any{map[string]any{"name": "a"}}}}
	load(t).Check(thing, object)
	got, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"spec":{"enum":"A","map":[{"name":"a","size":7}],"need":"x"}}`; string(got) != want {
		t.Errorf("object is %s, want %s", got, want)
	}
	empty := map[string]any{}
	if problems := load(t).Check(thing, empty); len(problems) != 1 || problems[0].Path != "spec.need" {
		t.Errorf("an object without a spec has problems %v, want that of the default spec", problems)
	}
}

func TestLoad(t *testing.T) {
	s := load(t)
	if !s.Has(thing) {
		t.Error("a served version is missing")
	}
	if s.Has(schema.GroupVersionKind{Group: "example.com", Version: "v0", Kind: "Thing"}) {
		t.Error("a version that is not served is there")
	}
	if got := s.Check(schema.GroupVersionKind{Kind: "Other"}, map[string]any{"x": 1}); got != nil {
		t.Errorf("a kind without a schema has problems %v", got)
	}
	for name, text := range map[string]string{"no YAML": "[", "a bad pattern": "spec: {versions: [{served: true, schema: {openAPIV3Schema: {properties: {a: {pattern: \"(\"}}}}}]}"} {
		if _, err := Load(fstest.MapFS{"d/x.yaml": {Data: []byte(text)}}, "d"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
