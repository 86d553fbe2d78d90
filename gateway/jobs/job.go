// Package jobs keeps asynchronous work without a store: a job's id is its own record, sealed, so that any replica answers it after
// any restart. It also keeps polls from reaching vendors more often than makes sense, and repeated submits from being two.
package jobs

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"vipcloud.ai/vipcloud/gateway/keyring"
	"vipcloud.ai/vipcloud/gateway/money"
	"vipcloud.ai/vipcloud/gateway/provider"
)

const (
	// prefix names the format of ids; another format will have another one.
	prefix = "job1_"
	// keepAfterDeadline is how long a job can be asked for after its deadline. Key rings keep keys accordingly.
	keepAfterDeadline = 7 * 24 * time.Hour
	// MaxDeadline bounds deadlines, so that the keys of a ring can ever retire.
	MaxDeadline = 7 * 24 * time.Hour
	// maxID bounds what is taken for an id.
	maxID = 8 << 10
)

// ErrNotFound is the one answer to an id that is forged, foreign, expired, or sealed with a key that is gone.
var ErrNotFound = errors.New("no such job")

// Job is what an id holds. It has no secret: the credential is named, not contained.
type Job struct {
	// Modality is Video or Music.
	Modality provider.Modality `cbor:"1,keyasint"`
	// Owner is the ApiKey as namespace/name: rotation of its key changes nothing.
	Owner string `cbor:"2,keyasint"`
	// Model is the public name of the route that serves.
	Model string `cbor:"3,keyasint"`
	// Credential is the ProviderCredential as namespace/name, Endpoint and Protocol what it was when the task was made: a task is
	// known only where it was made.
	Credential string `cbor:"4,keyasint"`
	Endpoint   string `cbor:"5,keyasint"`
	Protocol   string `cbor:"6,keyasint,omitempty"`
	// UpstreamModel is the vendor's id of the model, Task the vendor's task.
	UpstreamModel string        `cbor:"7,keyasint"`
	Task          provider.Task `cbor:"8,keyasint"`
	// Created and Deadline in Unix seconds. A job that has not ended by then has failed.
	Created  int64 `cbor:"9,keyasint"`
	Deadline int64 `cbor:"10,keyasint"`
	// Billing and Prices are what the job costs, by the prices of when it was made.
	Billing provider.Billing `cbor:"11,keyasint"`
	Prices  Prices           `cbor:"12,keyasint"`
	// Warnings are shown with every answer.
	Warnings []string `cbor:"13,keyasint,omitempty"`
	// RetryAfter is how often a poll makes sense, in seconds.
	RetryAfter int64 `cbor:"14,keyasint"`
	// Proxied says that clients get the files through the gateway.
	Proxied bool `cbor:"15,keyasint,omitempty"`
}

// Prices are the prices of a job. Currency is empty for a job without a price.
type Prices struct {
	Currency   string       `cbor:"1,keyasint,omitempty"`
	PerRequest money.Amount `cbor:"2,keyasint,omitempty"`
	PerSecond  money.Amount `cbor:"3,keyasint,omitempty"`
	PerVideo   money.Amount `cbor:"4,keyasint,omitempty"`
	PerSong    money.Amount `cbor:"5,keyasint,omitempty"`
}

// Seal turns a job into its id. Two ids of the same job differ.
func Seal(ring *keyring.Ring, j *Job) (string, error) {
	plain, err := cbor.Marshal(j)
	if err != nil {
		return "", fmt.Errorf("writing job: %w", err)
	}
	sealed, err := ring.Seal(plain, []byte(prefix))
	if err != nil {
		return "", fmt.Errorf("sealing job: %w", err)
	}
	return prefix + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open reads the job of an owner from its id. The only error is ErrNotFound, whatever is wrong: nobody learns from it.
func Open(ring *keyring.Ring, id, owner string, now time.Time) (*Job, error) {
	text, ok := strings.CutPrefix(id, prefix)
	if !ok || len(id) > maxID || ring == nil {
		return nil, ErrNotFound
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, ErrNotFound
	}
	plain, err := ring.Open(sealed, []byte(prefix))
	if err != nil {
		return nil, ErrNotFound
	}
	j := &Job{}
	if cbor.Unmarshal(plain, j) != nil || j.Owner != owner || now.After(j.DeadlineTime().Add(keepAfterDeadline)) {
		return nil, ErrNotFound
	}
	return j, nil
}

// CreatedTime is when the job was made.
func (j *Job) CreatedTime() time.Time { return time.Unix(j.Created, 0) }

// DeadlineTime is the deadline as a time.
func (j *Job) DeadlineTime() time.Time { return time.Unix(j.Deadline, 0) }

// Hash names a job in accounts and logs, where the id itself has no business: it would let a reader ask for the result.
func Hash(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:16])
}
