package controllers

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/apikey"
	"vipcloud.ai/vipcloud/gateway/table"
)

// hashA, hashB and hashC are hashes of some keys.
var hashA, hashB, hashC = apikey.Sum("a").String(), apikey.Sum("b").String(), apikey.Sum("c").String()

func TestRotationOf(t *testing.T) {
	cases := map[string]struct {
		spec    *v1alpha1.ApiKeyRotation
		want    rotation
		problem string
	}{
		"unset":               {nil, rotation{overlap: defaultOverlap}, ""},
		"all set":             {&v1alpha1.ApiKeyRotation{Every: "720h", Overlap: "1h", Trigger: "x"}, rotation{720 * time.Hour, time.Hour, "x", false}, ""},
		"no overlap":          {&v1alpha1.ApiKeyRotation{Overlap: "0s"}, rotation{}, ""},
		"too often":           {&v1alpha1.ApiKeyRotation{Every: "1s"}, rotation{}, "rotation.every"},
		"longer than anybody": {&v1alpha1.ApiKeyRotation{Overlap: "9999999h"}, rotation{}, "rotation.overlap"},
		"not a duration":      {&v1alpha1.ApiKeyRotation{Every: "99999999999999999999h"}, rotation{}, "rotation.every"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, p := rotationOf(&v1alpha1.ApiKey{Spec: v1alpha1.ApiKeySpec{Rotation: tc.spec}})
			switch {
			case tc.problem == "" && (p != nil || got != tc.want):
				t.Errorf("got %+v, %+v", got, p)
			case tc.problem != "" && (p == nil || p.Severity != table.Invalid || !strings.HasPrefix(p.Message, tc.problem)):
				t.Errorf("problem %+v, want one on %s", p, tc.problem)
			}
		})
	}
}

func TestKeyRecord_Next(t *testing.T) {
	now, day := noon(), 24*time.Hour
	plain := rotation{overlap: day}
	cases := map[string]struct {
		record     keyRecord
		hash       string
		timing     rotation
		want       keyRecord
		wantRotate bool
	}{
		"a Secret that somebody prepared": {
			keyRecord{}, hashA, rotation{overlap: day, trigger: "t"}, keyRecord{current: hashA, createdAt: now, trigger: "t"}, false},
		"nothing happened": {
			keyRecord{current: hashA, createdAt: now.Add(-day)}, hashA, plain, keyRecord{current: hashA, createdAt: now.Add(-day)}, false},
		"an edit is adopted, the old key overlaps": {
			keyRecord{current: hashA, createdAt: now.Add(-day)}, hashB, plain,
			keyRecord{current: hashB, createdAt: now, previous: hashA, previousEnd: now.Add(day)}, false},
		"an edit back to the key before": {
			keyRecord{current: hashB, createdAt: now.Add(-day), previous: hashA, previousEnd: now.Add(time.Hour)}, hashA, plain,
			keyRecord{current: hashA, createdAt: now, previous: hashB, previousEnd: now.Add(day)}, false},
		"an edit without overlap": {
			keyRecord{current: hashA, createdAt: now.Add(-day)}, hashB, rotation{}, keyRecord{current: hashB, createdAt: now}, false},
		"an overlap that is over": {
			keyRecord{current: hashB, createdAt: now.Add(-day), previous: hashA, previousEnd: now}, hashB, plain,
			keyRecord{current: hashB, createdAt: now.Add(-day)}, false},
		"an overlap that is not": {
			keyRecord{current: hashB, createdAt: now.Add(-day), previous: hashA, previousEnd: now.Add(time.Second)}, hashB, plain,
			keyRecord{current: hashB, createdAt: now.Add(-day), previous: hashA, previousEnd: now.Add(time.Second)}, false},
		"a new trigger rotates": {
			keyRecord{current: hashA, createdAt: now.Add(-day), trigger: "old"}, hashA, rotation{overlap: day, trigger: "new"},
			keyRecord{current: hashA, createdAt: now.Add(-day), trigger: "old"}, true},
		"a first trigger rotates": {
			keyRecord{current: hashA, createdAt: now.Add(-day)}, hashA, rotation{overlap: day, trigger: "new"},
			keyRecord{current: hashA, createdAt: now.Add(-day)}, true},
		"a removed trigger does not": {
			keyRecord{current: hashA, createdAt: now.Add(-day), trigger: "old"}, hashA, plain,
			keyRecord{current: hashA, createdAt: now.Add(-day)}, false},
		"old enough": {
			keyRecord{current: hashA, createdAt: now.Add(-day)}, hashA, rotation{overlap: day, every: day},
			keyRecord{current: hashA, createdAt: now.Add(-day)}, true},
		"not old enough": {
			keyRecord{current: hashA, createdAt: now.Add(time.Second - day)}, hashA, rotation{overlap: day, every: day},
			keyRecord{current: hashA, createdAt: now.Add(time.Second - day)}, false},
		"a key that is refused is not replaced": {
			keyRecord{current: hashA, createdAt: now.Add(-day), trigger: "old"}, hashA, rotation{every: time.Hour, trigger: "new", paused: true},
			keyRecord{current: hashA, createdAt: now.Add(-day), trigger: "old"}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, rotate := tc.record.next(tc.hash, tc.timing, now.Add(300*time.Millisecond))
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(keyRecord{})); diff != "" || rotate != tc.wantRotate {
				t.Errorf("rotate %v, -want +got:\n%s", rotate, diff)
			}
		})
	}
}

func TestKeyRecord_SurvivesItsAnnotations(t *testing.T) {
	annotations := map[string]string{"theirs": "stays"}
	record := keyRecord{current: hashB, createdAt: noon(), previous: hashA, previousEnd: noon().Add(time.Hour), trigger: "t"}
	record.annotate(annotations)
	if got := recordOf(annotations); got != record {
		t.Errorf("got %+v", got)
	}
	keyRecord{current: hashB, createdAt: noon()}.annotate(annotations)
	want := map[string]string{"theirs": "stays", v1alpha1.AnnotationCurrentHash: hashB, v1alpha1.AnnotationCreatedAt: "2026-11-02T12:00:00Z"}
	if diff := cmp.Diff(want, annotations); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRecordOf_TakesNothingFromGarbage(t *testing.T) {
	got := recordOf(map[string]string{
		v1alpha1.AnnotationCurrentHash: "nonsense", v1alpha1.AnnotationCreatedAt: "yesterday",
		v1alpha1.AnnotationPreviousHash: hashA, v1alpha1.AnnotationPreviousNotAfter: "never",
	})
	if got != (keyRecord{}) {
		t.Errorf("got %+v: a previous key without an end would be valid for ever", got)
	}
}

func FuzzRecordOf(f *testing.F) {
	f.Add(hashA, "2026-11-02T12:00:00Z", hashB, "2026-11-02T12:00:00Z", "t")
	f.Add("", "x", "\x00", "9999-99-99", "")
	f.Fuzz(func(t *testing.T, current, created, previous, end, trigger string) {
		record := recordOf(map[string]string{
			v1alpha1.AnnotationCurrentHash: current, v1alpha1.AnnotationCreatedAt: created, v1alpha1.AnnotationTrigger: trigger,
			v1alpha1.AnnotationPreviousHash: previous, v1alpha1.AnnotationPreviousNotAfter: end,
		})
		next, _ := record.next(hashC, rotation{overlap: time.Hour}, noon())
		for _, h := range next.hashes() {
			if _, err := apikey.ParseHash(h.SHA256); err != nil {
				t.Errorf("published %q: %v", h.SHA256, err)
			}
		}
		if len(next.hashes()) == 2 && !next.previousEnd.After(noon()) {
			t.Error("a key whose time is over is published")
		}
	})
}

// validKey can be a key that somebody brings.
const validKey = "0123456789abcdef0123456789abcdef"

func TestBroughtMaterial(t *testing.T) {
	e := describedEntry{secret: types.NamespacedName{Namespace: "n", Name: "s"}, entry: "k"}
	of := func(value string) *keySecret {
		return describe(&corev1.Secret{Data: map[string][]byte{"k": []byte(value)}}, "k")
	}
	hash, other := apikey.Sum(validKey).String(), apikey.Sum(validKey+"!").String()
	day := 24 * time.Hour
	published := func(secret string, hashes ...v1alpha1.KeyHash) v1alpha1.ApiKeyStatus {
		return v1alpha1.ApiKeyStatus{SecretName: secret, Hashes: hashes, CreatedAt: timePtr(noon().Add(-day))}
	}
	cases := map[string]struct {
		secret      *keySecret
		status      v1alpha1.ApiKeyStatus
		want        []v1alpha1.KeyHash
		wantCreated time.Time
		wantReason  string
	}{
		"no Secret":         {nil, published("s", v1alpha1.KeyHash{SHA256: hash}), nil, time.Time{}, v1alpha1.ReasonSecretNotFound},
		"no entry":          {describe(&corev1.Secret{}, "k"), published("s"), nil, time.Time{}, v1alpha1.ReasonSecretNotFound},
		"too short a key":   {of("short"), published("s", v1alpha1.KeyHash{SHA256: hash}), nil, time.Time{}, v1alpha1.ReasonInvalidKey},
		"a key with a tail": {of(validKey + "\n"), published("s"), nil, time.Time{}, v1alpha1.ReasonInvalidKey},
		"first sight":       {of(validKey), v1alpha1.ApiKeyStatus{}, []v1alpha1.KeyHash{{SHA256: hash}}, noon(), ""},
		"no change": {of(validKey), published("s", v1alpha1.KeyHash{SHA256: hash}),
			[]v1alpha1.KeyHash{{SHA256: hash}}, noon().Add(-day), ""},
		"replaced": {of(validKey), published("s", v1alpha1.KeyHash{SHA256: other}),
			[]v1alpha1.KeyHash{{SHA256: hash}, {SHA256: other, NotAfter: timePtr(noon().Add(day))}}, noon(), ""},
		"the overlap goes on": {of(validKey), published("s", v1alpha1.KeyHash{SHA256: hash},
			v1alpha1.KeyHash{SHA256: other, NotAfter: timePtr(noon().Add(time.Hour))}),
			[]v1alpha1.KeyHash{{SHA256: hash}, {SHA256: other, NotAfter: timePtr(noon().Add(time.Hour))}}, noon().Add(-day), ""},
		"the overlap ends": {of(validKey), published("s", v1alpha1.KeyHash{SHA256: hash},
			v1alpha1.KeyHash{SHA256: other, NotAfter: timePtr(noon())}), []v1alpha1.KeyHash{{SHA256: hash}}, noon().Add(-day), ""},
		"another Secret is no replacement": {of(validKey), published("elsewhere", v1alpha1.KeyHash{SHA256: other}),
			[]v1alpha1.KeyHash{{SHA256: hash}}, noon(), ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := broughtMaterial(e, tc.secret, &tc.status, rotation{overlap: day}, noon())
			if diff := cmp.Diff(tc.want, m.hashes); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if !m.createdAt.Equal(tc.wantCreated) {
				t.Errorf("created at %v, want %v", m.createdAt, tc.wantCreated)
			}
			reason := ""
			if m.problem != nil {
				reason = m.problem.Reason
				if strings.Contains(m.problem.Message, "short") || strings.Contains(m.problem.Message, validKey) {
					t.Error("the message shows the key")
				}
			}
			if reason != tc.wantReason {
				t.Errorf("reason %q, want %q", reason, tc.wantReason)
			}
			if m.prefix != "" {
				t.Errorf("a foreign key shows its first characters %q", m.prefix)
			}
		})
	}
}

func TestPlanKey(t *testing.T) {
	const url = "http://vipcloud-g.n.svc/v1"
	sum := apikey.Sum(validKey).String()
	ak := &v1alpha1.ApiKey{ObjectMeta: metav1.ObjectMeta{Name: "shop", UID: "u"}}
	secret := func(edits ...func(*corev1.Secret)) *corev1.Secret {
		s := &corev1.Secret{}
		fillSecret(s, ak, validKey, url, keyRecord{current: sum, createdAt: noon()})
		for _, edit := range edits {
			edit(s)
		}
		return s
	}
	set := func(entry, value string) func(*corev1.Secret) {
		return func(s *corev1.Secret) { s.Data[entry] = []byte(value) }
	}
	drop := func(entry string) func(*corev1.Secret) { return func(s *corev1.Secret) { delete(s.Data, entry) } }
	annotate := func(name, value string) func(*corev1.Secret) {
		return func(s *corev1.Secret) { s.Annotations[name] = value }
	}
	cases := map[string]struct {
		secret     *corev1.Secret
		timing     rotation
		want       keyPlan
		wantReason string
	}{
		"as it should be":         {secret: secret()},
		"an edited mirror":        {secret: secret(set("OPENAI_API_KEY", "x")), want: keyPlan{write: true}},
		"an edited base URL":      {secret: secret(set("OPENAI_BASE_URL", "http://evil")), want: keyPlan{write: true}},
		"a lost key":              {secret: secret(drop("api-key")), want: keyPlan{write: true, mirror: true}},
		"a lost key and mirror":   {secret: secret(drop("api-key"), drop("OPENAI_API_KEY")), wantReason: "InvalidKey"},
		"a lost key, foreign one": {secret: secret(drop("api-key"), set("OPENAI_API_KEY", validKey+"x")), wantReason: "InvalidKey"},
		"no key at all is no key": {secret: secret(drop("api-key"), drop("OPENAI_API_KEY"),
			annotate(v1alpha1.AnnotationCurrentHash, apikey.Sum("").String())), wantReason: "InvalidKey"},
		"an unusable key":        {secret: secret(set("api-key", "short")), wantReason: "InvalidKey"},
		"a new trigger":          {secret: secret(), timing: rotation{trigger: "t"}, want: keyPlan{write: true, rotate: true}},
		"no owner":               {secret: secret(func(s *corev1.Secret) { s.OwnerReferences = nil }), want: keyPlan{write: true}},
		"an owner of its own":    {secret: secret(func(s *corev1.Secret) { s.OwnerReferences[0].UID = "x" }), wantReason: "SecretConflict"},
		"another key's label":    {secret: secret(func(s *corev1.Secret) { s.Labels[v1alpha1.LabelApiKey] = "x" }), wantReason: "SecretConflict"},
		"an edited annotation":   {secret: secret(annotate(v1alpha1.AnnotationCreatedAt, "x")), want: keyPlan{write: true}},
		"a stranger's additions": {secret: secret(set("theirs", "x"), annotate("theirs", "x"))},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &keyScope{ak: ak, now: noon(), timing: tc.timing, instance: &v1alpha1.GatewayInstance{
				ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "g"}}}
			got := planKey(s, describedEntry{entry: "api-key"}, describe(tc.secret, "api-key"))
			reason := ""
			if got.problem != nil {
				reason = got.problem.Reason
			}
			if reason != tc.wantReason || got.write != tc.want.write || got.rotate != tc.want.rotate || got.mirror != tc.want.mirror {
				t.Errorf("reason %q, write %v, rotate %v, mirror %v", reason, got.write, got.rotate, got.mirror)
			}
		})
	}
}

func TestConflict(t *testing.T) {
	ak := &v1alpha1.ApiKey{ObjectMeta: metav1.ObjectMeta{Name: "shop", UID: "u"}}
	owner := func(kind, name, uid string) *metav1.OwnerReference {
		return &metav1.OwnerReference{Kind: kind, Name: name, UID: types.UID(uid)}
	}
	cases := map[string]struct {
		label string
		owner *metav1.OwnerReference
		want  *table.Severity
	}{
		"ours":                           {"shop", owner("ApiKey", "shop", "u"), nil},
		"kept, without owner":            {"shop", nil, nil},
		"no label":                       {"", nil, new(table.Invalid)},
		"the label of another key":       {"blog", nil, new(table.Invalid)},
		"labelled, but somebody's":       {"shop", owner("SealedSecret", "shop", "x"), new(table.Invalid)},
		"of another ApiKey":              {"shop", owner("ApiKey", "blog", "x"), new(table.Invalid)},
		"of the one of this name before": {"shop", owner("ApiKey", "shop", "before"), new(table.Missing)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := conflict(ak, describedEntry{}, &keySecret{label: tc.label, owner: tc.owner})
			switch {
			case tc.want == nil && p != nil:
				t.Errorf("unexpected %+v", p)
			case tc.want != nil && (p == nil || p.Severity != *tc.want || p.Reason != v1alpha1.ReasonSecretConflict):
				t.Errorf("got %+v, want severity %v", p, *tc.want)
			}
		})
	}
}

func TestKeySecretName(t *testing.T) {
	cases := map[string]struct {
		source *v1alpha1.ApiKeySource
		want   string
	}{
		"default":   {nil, "shop"},
		"generated": {&v1alpha1.ApiKeySource{Type: "Generated"}, "shop"},
		"named":     {&v1alpha1.ApiKeySource{Type: "Generated", Generated: &v1alpha1.GeneratedKey{SecretName: "llm"}}, "llm"},
		"brought":   {&v1alpha1.ApiKeySource{Type: "SecretRef", SecretRef: &v1alpha1.EntryReference{Name: "mine", Key: "k"}}, "mine"},
		"hashes":    {&v1alpha1.ApiKeySource{Type: "Hashes"}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ak := &v1alpha1.ApiKey{ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: v1alpha1.ApiKeySpec{Source: tc.source}}
			if got := keySecretName(ak); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
