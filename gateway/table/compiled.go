package table

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vipcloud.ai/vipcloud/api/v1alpha1"
)

const (
	// CompiledCredentialsEntry is the entry of the compiled Secret that holds the credentials of an instance.
	CompiledCredentialsEntry = "credentials.json"
	// compiledVersion is the version of the format.
	compiledVersion = 1
)

// Errors of the codec.
var (
	// ErrNotCompiled means that the Secret lacks its entry: the operator has not written it yet.
	ErrNotCompiled = errors.New("no entry " + CompiledCredentialsEntry)
	// ErrCompiledVersion means a format that another version of the operator writes.
	ErrCompiledVersion = errors.New("written in a format that this version does not know")
	// ErrCompiledFormat means bytes that no operator wrote.
	ErrCompiledFormat = errors.New("not what the operator writes")
)

// CompiledCredential is a credential and its state, as the operator passes them to the gateway.
type CompiledCredential struct {
	Credential *v1alpha1.ProviderCredential
	State      CredentialState
}

// compiledFile is the wire format.
type compiledFile struct {
	Version     int                  `json:"v"`
	Credentials []compiledCredential `json:"credentials"`
}

// compiledCredential is one credential in the wire format. Values are bytes, because Secrets may hold any.
type compiledCredential struct {
	Namespace     string                          `json:"namespace"`
	Name          string                          `json:"name"`
	Spec          v1alpha1.ProviderCredentialSpec `json:"spec"`
	Problem       *compiledProblem                `json:"problem,omitempty"`
	Entries       map[string][]byte               `json:"entries,omitzero"`
	CABundle      []byte                          `json:"caBundle,omitempty"`
	ProxyUsername []byte                          `json:"proxyUsername,omitempty"`
	ProxyPassword []byte                          `json:"proxyPassword,omitempty"`
}

// compiledProblem is a Problem in the wire format.
type compiledProblem struct {
	Severity string `json:"severity"`
	Reason   string `json:"reason"`
	Message  string `json:"message"`
}

// EncodeCredentials returns the data of the Secret that the gateway reads, but for entries of others: the key ring is one, see
// package keyring. Equal credentials give equal bytes, whatever their order. An error means that two of them have one name.
func EncodeCredentials(creds []CompiledCredential) (map[string][]byte, error) {
	file := compiledFile{Version: compiledVersion, Credentials: make([]compiledCredential, 0, len(creds))}
	for _, c := range creds {
		file.Credentials = append(file.Credentials, encodeCredential(c))
	}
	slices.SortFunc(file.Credentials, compareCompiled)
	if err := refuseTwins(file.Credentials); err != nil {
		return nil, err
	}
	data, err := json.Marshal(file)
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", CompiledCredentialsEntry, err)
	}
	return map[string][]byte{CompiledCredentialsEntry: data}, nil
}

// compareCompiled orders credentials by namespace and name.
func compareCompiled(a, b compiledCredential) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// refuseTwins says that no two neighbours have the same name.
func refuseTwins(sorted []compiledCredential) error {
	for i := 1; i < len(sorted); i++ {
		if compareCompiled(sorted[i-1], sorted[i]) == 0 {
			return fmt.Errorf("credential %s/%s appears twice: %w", sorted[i].Namespace, sorted[i].Name, ErrCompiledFormat)
		}
	}
	return nil
}

// encodeCredential is the one place where values of Secrets are taken out of their wrapping to be stored.
func encodeCredential(c CompiledCredential) compiledCredential {
	wire := compiledCredential{
		Namespace:     c.Credential.Namespace,
		Name:          c.Credential.Name,
		Spec:          c.Credential.Spec,
		CABundle:      c.State.CABundle,
		ProxyUsername: []byte(c.State.ProxyUsername),
		ProxyPassword: []byte(c.State.ProxyPassword.Reveal()),
	}
	if p := c.State.Problem; p != nil {
		wire.Problem = &compiledProblem{Severity: p.Severity.String(), Reason: p.Reason, Message: p.Message}
	}
	if c.State.Entries != nil {
		wire.Entries = make(map[string][]byte, len(c.State.Entries))
		for name, value := range c.State.Entries {
			wire.Entries[name] = []byte(value.Reveal())
		}
	}
	return wire
}

// DecodeCredentials reads the data of the compiled Secret, and passes over entries of others. Errors wrap ErrNotCompiled,
// ErrCompiledVersion or ErrCompiledFormat and never repeat what was read.
func DecodeCredentials(data map[string][]byte) (
	creds []*v1alpha1.ProviderCredential, states map[types.NamespacedName]CredentialState, err error,
) {
	raw, ok := data[CompiledCredentialsEntry]
	if !ok {
		return nil, nil, ErrNotCompiled
	}
	file, err := decodeFile(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", CompiledCredentialsEntry, err)
	}
	creds = make([]*v1alpha1.ProviderCredential, 0, len(file.Credentials))
	states = make(map[types.NamespacedName]CredentialState, len(file.Credentials))
	for i := range file.Credentials {
		wire := &file.Credentials[i]
		state, err := wire.state()
		if err != nil {
			return nil, nil, fmt.Errorf("reading %s: %w", CompiledCredentialsEntry, err)
		}
		creds = append(creds, &v1alpha1.ProviderCredential{
			ObjectMeta: metav1.ObjectMeta{Namespace: wire.Namespace, Name: wire.Name},
			Spec:       wire.Spec,
		})
		states[types.NamespacedName{Namespace: wire.Namespace, Name: wire.Name}] = state
	}
	return creds, states, nil
}

// checkVersion reads the version first, so that a newer format is called that and not garbage.
func checkVersion(raw []byte) error {
	var version struct {
		Version int `json:"v"`
	}
	// The causes are left out: they quote what they stumble on.
	if json.Unmarshal(raw, &version) != nil {
		return ErrCompiledFormat
	}
	if version.Version != compiledVersion {
		return fmt.Errorf("version %d: %w", version.Version, ErrCompiledVersion)
	}
	return nil
}

// decodeFile reads credentials in the wire format.
func decodeFile(raw []byte) (*compiledFile, error) {
	if err := checkVersion(raw); err != nil {
		return nil, err
	}
	file := &compiledFile{}
	if json.Unmarshal(raw, file) != nil {
		return nil, ErrCompiledFormat
	}
	slices.SortFunc(file.Credentials, compareCompiled)
	return file, refuseTwins(file.Credentials)
}

// state wraps the values again.
func (w *compiledCredential) state() (CredentialState, error) {
	state := CredentialState{
		CABundle:      bytes.Clone(w.CABundle),
		ProxyUsername: string(w.ProxyUsername),
		ProxyPassword: NewSecret(string(w.ProxyPassword)),
	}
	var err error
	if state.Problem, err = w.Problem.decode(); err != nil {
		return CredentialState{}, err
	}
	if w.Entries != nil {
		state.Entries = make(map[string]Secret, len(w.Entries))
		for name, value := range w.Entries {
			state.Entries[name] = NewSecret(string(value))
		}
	}
	return state, nil
}

// decode reads a problem; nil is none.
func (p *compiledProblem) decode() (*Problem, error) {
	if p == nil {
		return nil, nil
	}
	severity, err := parseSeverity(p.Severity)
	if err != nil {
		return nil, err
	}
	return &Problem{Severity: severity, Reason: p.Reason, Message: p.Message}, nil
}

// parseSeverity reads the word of a severity.
func parseSeverity(word string) (Severity, error) {
	for s := Info; s <= Degraded; s++ {
		if s.String() == word {
			return s, nil
		}
	}
	return Info, fmt.Errorf("unknown severity: %w", ErrCompiledFormat)
}
