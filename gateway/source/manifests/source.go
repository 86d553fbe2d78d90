package manifests

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/config/crd"
	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/source"
	"vipcloud.ai/vipcloud/gateway/source/manifests/schema"
	"vipcloud.ai/vipcloud/gateway/table"
)

// Options of a Source.
type Options struct {
	// Dir is read recursively. Required.
	Dir string
	// StateDir keeps generated keys and the key ring, which gateways with one state directory share; it is made if missing, and
	// must not be within Dir. Required.
	StateDir string
	// Instance picks the GatewayInstance, as name or namespace/name, if Dir has several. Empty: the only one.
	Instance string
	// Providers are the vendors that this binary has adapters for.
	Providers table.Providers
	// Sink takes what is published. Table and Keys are required; Loaded is not used, for files have no versions. Without KeyRing
	// no ring is kept.
	Sink source.Sink
	// Logger takes what an operator must see. Nil: slog.Default().
	Logger *slog.Logger
	// Clock tells the time. Nil: the real one.
	Clock clock.WithTicker
	// Random makes keys. Nil: the system's randomness.
	Random io.Reader
}

// forgetAfter is how long a key outlives its ApiKey. It is refused at once; but a file that is only being moved or written
// anew must not cost it its key.
const forgetAfter = 30 * time.Second

// GeneratedKey says where a generated key is kept.
type GeneratedKey struct {
	// Namespace and Name are those of the ApiKey.
	Namespace, Name string
	// Path of a file with mode 0600 that holds the key and a line end.
	Path string
}

// Source serves a directory. Problems, GeneratedKeys and Synced may be used by several goroutines; Run is called once.
type Source struct {
	opts   Options
	reader *reader
	store  *keyStore
	synced chan struct{}
	dirs   []string // those with manifests, as of the last look

	// What was compiled last; used by New and then by Run only.
	known map[ID]*v1alpha1.ApiKey // keys that were there, to see which are gone
	gone  map[ID]time.Time        // since when they are
	keys  []*table.Key
	input table.Input
	next  time.Time // when a key must be looked at again; zero: never

	// The key ring; used as the above.
	ring       keyring.Ring // as it was read last; zero: never
	ringServed keyring.Ring // as it was handed over last; zero: never
	ringNext   time.Time    // when it must be looked for again; zero: when its file changes

	mu           sync.Mutex
	problems     []Problem
	ringProblems []Problem
	generated    []GeneratedKey
}

// New reads the directory and makes the keys that are missing. What is wrong with single files or objects is in Problems; an
// error means that there is nothing to serve: no such directory, or no clear instance.
func New(opts Options) (*Source, error) {
	schemas, err := schema.Load(crd.Bases, "bases")
	if err != nil {
		return nil, fmt.Errorf("loading schemas: %w", err)
	}
	return open(opts, schemas)
}

// open is New with schemas that are loaded already.
func open(opts Options, schemas *schema.Set) (*Source, error) {
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("checking options: %w", err)
	}
	s := &Source{
		opts:   opts,
		reader: &reader{dir: opts.Dir, schemas: schemas, logger: opts.Logger, files: map[string]*fileState{}},
		store:  &keyStore{dir: opts.StateDir, random: opts.Random},
		synced: make(chan struct{}),
		known:  map[ID]*v1alpha1.ApiKey{},
		gone:   map[ID]time.Time{},
	}
	var err error
	if _, s.dirs, err = s.reader.read(); err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	if err := s.compile(); err != nil {
		return nil, fmt.Errorf("reading manifests of %s: %w", opts.Dir, err)
	}
	s.lookAtKeyRing()
	return s, nil
}

// validate fills in defaults and returns all problems.
func (o *Options) validate() error {
	var problems []error
	if o.Dir == "" || o.StateDir == "" {
		problems = append(problems, errors.New("the directories of manifests and of state are both needed"))
	} else if within(o.StateDir, o.Dir) {
		problems = append(problems, fmt.Errorf("state %s is within manifests %s; keys do not belong there", o.StateDir, o.Dir))
	}
	if o.Sink.Table == nil || o.Sink.Keys == nil {
		problems = append(problems, errors.New("sink needs Table and Keys"))
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return errors.Join(problems...)
}

// Synced is closed when the first table and the first keys serve.
func (s *Source) Synced() <-chan struct{} { return s.synced }

// Problems are what is wrong with files and keys now, in the order of files, and with the key ring. What routes and credentials lack is
// for the findings of the table.
func (s *Source) Problems() []Problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.problems, s.ringProblems)
}

// manifestProblems are those of files and keys.
func (s *Source) manifestProblems() []Problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

// GeneratedKeys are the keys that the source made, by namespace and name.
func (s *Source) GeneratedKeys() []GeneratedKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.generated)
}

// compile makes an input and keys of what the reader has. An error leaves everything as it was.
func (s *Source) compile() error {
	objects, problems := s.reader.all()
	set, twins := NewSet(objects)
	problems = append(problems, twins...)
	instance, err := set.Instance(s.opts.Instance)
	if err != nil {
		s.publishProblems(append(problems, Problem{File: s.opts.Dir, Message: err.Error()}), nil)
		return err
	}
	id := types.NamespacedName{Namespace: instance.Namespace, Name: instance.Name}
	maker := &keyMaker{
		set: set, store: s.store, instance: id, rules: table.CompileKeyRules(instance), now: s.opts.Clock.Now(),
	}
	maker.run()
	s.forgetGone(set, maker)
	s.keys, s.next = maker.keys, maker.next
	s.input = table.Input{
		Instance: instance, Routes: set.Routes(), Credentials: set.Credentials(), CredentialStates: set.States(),
		Redis: set.Redis(instance), Namespaces: set.Namespaces(), Providers: s.opts.Providers, NoCreationTimes: true,
	}
	s.reader.log(s.Problems(), append(twins, maker.problems...))
	s.publishProblems(append(problems, maker.problems...), append([]GeneratedKey{}, maker.generated...))
	return nil
}

// publishProblems makes them and the generated keys (unless nil) visible to others.
func (s *Source) publishProblems(problems []Problem, generated []GeneratedKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = problems
	if generated != nil {
		s.generated = generated
	}
}

// forgetGone removes generated keys some time after their ApiKey went while we looked, unless it asked to keep them. Nothing
// is removed for what was never seen: a directory that is not mounted yet must not cost every key.
func (s *Source) forgetGone(set *Set, maker *keyMaker) {
	for _, ak := range set.Keys() {
		id := ID{Kind: v1alpha1.KindApiKey, Namespace: ak.Namespace, Name: ak.Name}
		s.known[id] = ak
		delete(s.gone, id)
	}
	for id, ak := range s.known {
		if set.Find(id.Kind, id.Namespace, id.Name) != nil {
			continue
		}
		if _, noted := s.gone[id]; !noted {
			s.gone[id] = maker.now
		}
		end := s.gone[id].Add(forgetAfter)
		if maker.now.Before(end) {
			maker.wakeAt(end)
			continue
		}
		delete(s.known, id)
		delete(s.gone, id)
		if sourceOf(ak) == v1alpha1.ApiKeySourceGenerated && retained(ak) {
			continue
		}
		if err := s.store.forget(id.Namespace, id.Name); err != nil {
			s.opts.Logger.Error("Key of a deleted ApiKey could not be removed", "apiKey", id.Namespace+"/"+id.Name, "err", err)
		}
	}
}

// retained says whether the key outlives its ApiKey.
func retained(ak *v1alpha1.ApiKey) bool {
	return ak.Spec.Source != nil && ak.Spec.Source.Generated != nil &&
		cmp.Or(ak.Spec.Source.Generated.DeletionPolicy, v1alpha1.DeletionPolicyDelete) == v1alpha1.DeletionPolicyRetain
}

// publish hands what was compiled to the sink. Keys that are as they were are not handed over again.
func (s *Source) publish(before []*table.Key, first bool) {
	s.publishKeyRing()
	s.opts.Sink.Table(s.input)
	if first || !reflect.DeepEqual(before, s.keys) {
		s.opts.Sink.Keys.Replace(s.keys)
	}
}

// Run publishes, and publishes again when files or the key ring change or a key's time has come, until ctx ends. It returns nil then, or an
// error if the directory cannot be watched. A broken file never ends it.
func (s *Source) Run(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("serving manifests: panic: %v\n%s", p, debug.Stack())
		}
	}()
	w, err := newWatch(s.opts, s.dirs)
	if err != nil {
		return fmt.Errorf("watching %s: %w", s.opts.Dir, err)
	}
	defer w.close()
	s.publish(nil, true)
	close(s.synced)
	for w.wait(ctx, earlier(s.next, s.ringNext)) {
		s.reload(w)
	}
	return nil
}

// earlier is the first of two times, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// reload looks at the files again and publishes what changed.
func (s *Source) reload(w *watch) {
	s.lookAtKeyRing()
	s.publishKeyRing()
	changed, dirs, err := s.reader.read()
	if err != nil {
		problem := Problem{File: s.opts.Dir, Message: fmt.Sprintf("cannot be listed: %v", cause(err))}
		if !slices.Contains(s.Problems(), problem) {
			s.opts.Logger.Error("Manifests cannot be listed; serving what was there before", "dir", s.opts.Dir, "err", err)
			s.publishProblems(append(s.manifestProblems(), problem), nil)
		}
		return
	}
	w.follow(dirs)
	due := !s.next.IsZero() && !s.opts.Clock.Now().Before(s.next)
	if !changed && !due {
		return
	}
	before := s.keys
	if err := s.compile(); err != nil {
		s.next = time.Time{} // nothing is due before the files are mended
		s.opts.Logger.Error("Manifests cannot be served; serving what was there before", "dir", s.opts.Dir, "err", err)
		return
	}
	s.opts.Logger.Info("Manifests were read again", "dir", s.opts.Dir, "routes", len(s.input.Routes), "keys", len(s.keys))
	s.publish(before, false)
}
