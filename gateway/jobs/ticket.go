package jobs

import (
	"encoding/base64"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"vipcloud.ai/vipcloud/gateway/keyring"
)

// ticketPrefix begins what a ticket is bound to, so that no ticket is an id and no id a ticket.
const ticketPrefix = "ticket1_"

// Ticket is what a replica needs that finds out how a job ended although no client asks. It stands in the ledger beside what the job
// has reserved, sealed and bound to the job's hash: who reads the ledger can ask for no result with it.
type Ticket struct {
	// Job is the job without what only its clients see.
	Job *Job `cbor:"1,keyasint"`
	// Reset and Project are those of the key at the submit.
	Reset   string `cbor:"2,keyasint,omitempty"`
	Project string `cbor:"3,keyasint,omitempty"`
	// Space is the hash under which what the job costs counts against a budget of its namespace as well; empty if it does not.
	Space string `cbor:"4,keyasint,omitempty"`
}

// SealTicket turns a ticket of a job into text, for OpenTicket with the same hash.
func SealTicket(ring *keyring.Ring, hash string, t *Ticket) (string, error) {
	short := *t.Job
	short.Warnings, short.RetryAfter, short.Proxied = nil, 0, false
	plain, err := cbor.Marshal(&Ticket{Job: &short, Reset: t.Reset, Project: t.Project, Space: t.Space})
	if err != nil {
		return "", fmt.Errorf("writing ticket: %w", err)
	}
	sealed, err := ring.Seal(plain, []byte(ticketPrefix+hash))
	if err != nil {
		return "", fmt.Errorf("sealing ticket: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// OpenTicket reads the ticket of a job. The only error is ErrNotFound, whatever is wrong.
func OpenTicket(ring *keyring.Ring, hash, text string) (*Ticket, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || ring == nil {
		return nil, ErrNotFound
	}
	plain, err := ring.Open(sealed, []byte(ticketPrefix+hash))
	if err != nil {
		return nil, ErrNotFound
	}
	t := &Ticket{}
	if cbor.Unmarshal(plain, t) != nil || t.Job == nil {
		return nil, ErrNotFound
	}
	return t, nil
}
