package ledger

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
)

// Errors of the ledger. Errors that say more wrap them.
var (
	// ErrJob means that a job's event cannot be counted: its hash is not 32 lower-case hexadecimal digits, or its state is none.
	ErrJob = errors.New("no event of a job")
	// ErrLate means that a job's event came after the job was folded, when nobody should report it any more. It is not counted.
	ErrLate = errors.New("job was folded before")
	// ErrLoaded means that a shard was loaded before.
	ErrLoaded = errors.New("shard is loaded")
	// ErrShard means that what belongs to one shard was given for another.
	ErrShard = errors.New("another shard")
	// ErrMerged means that a report is in the archive already. Nothing was added.
	ErrMerged = errors.New("report is merged")
	// ErrAncestor means that a page is not what the book has written before.
	ErrAncestor = errors.New("page holds what the book never counted")
	// ErrTooLarge means that money and jobs alone need more than MaxMoneyBytes.
	ErrTooLarge = errors.New("too large")
	// ErrFormat means that bytes are not what Encode writes.
	ErrFormat = errors.New("malformed page")
	// ErrVersion means that bytes are of another version of the format.
	ErrVersion = errors.New("unknown format of a page")
)

// Usage counts what was used. Figures below zero count as zero.
type Usage struct {
	// PromptTokens include cached ones and those written to a cache, CompletionTokens include reasoning ones.
	PromptTokens, CompletionTokens, CachedTokens, ReasoningTokens, CacheWriteTokens int64
	Images, Seconds, Characters, Songs                                              int64
}

// amounts is Usage in the order of the format.
type amounts [9]int64

// amounts returns what was used in the order of the format.
func (u *Usage) amounts() amounts {
	a := amounts{
		u.PromptTokens, u.CompletionTokens, u.CachedTokens, u.ReasoningTokens, u.CacheWriteTokens,
		u.Images, u.Seconds, u.Characters, u.Songs,
	}
	for i := range a {
		a[i] = max(a[i], 0)
	}
	return a
}

// usage is the reverse of amounts.
func (a *amounts) usage() Usage {
	return Usage{
		PromptTokens: a[0], CompletionTokens: a[1], CachedTokens: a[2], ReasoningTokens: a[3], CacheWriteTokens: a[4],
		Images: a[5], Seconds: a[6], Characters: a[7], Songs: a[8],
	}
}

// Entry is what one request, or several of a kind, came to.
type Entry struct {
	// Key is the ApiKey as namespace/name, Reset the value of its reset annotation, Model the public name of what served.
	Key, Reset, Model string
	// At is when it was settled; it decides on the day, week and month.
	At time.Time
	// Requests is how many requests it was. It may be 0.
	Requests int64
	Usage    Usage
	// Cost is below zero for none, as zero is.
	Cost money.Amount
	// Estimated says that the vendor told no usage.
	Estimated bool
}

// JobState is what has become of a job's money.
type JobState string

// The states. A later one of the list wins over an earlier one.
const (
	// JobReserved is a job that is running. Its amount is not spent yet.
	JobReserved JobState = "reserved"
	// JobReleased is a job that costs nothing.
	JobReleased JobState = "released"
	// JobCharged is a job whose amount is spent.
	JobCharged JobState = "charged"
)

// JobEntry is an event of a job: what somebody knows of its money. Key, Created and Deadline are the same in all events of a job.
type JobEntry struct {
	// Hash names the job: 32 lower-case hexadecimal digits.
	Hash string
	// Key, Reset and Model are as in Entry. Reset is that of the key when the event was made.
	Key, Reset, Model string
	// Amount is what is reserved or charged. It and Usage mean nothing once released.
	Amount money.Amount
	Usage  Usage
	State  JobState
	// Created decides on the day, week and month. The ledger keeps the UTC day of it.
	Created time.Time
	// Deadline is when the job has ended whatever became of it. The ledger keeps it rounded up to a full hour, and to the second for
	// as long as it keeps the ticket.
	Deadline time.Time
	// Ticket is what somebody needs who wants to find out how the job ended, in a form that this package does not know. It is kept
	// while the job is reserved, if it is plain, without spaces and not longer than MaxTicket; empty: there is none.
	Ticket string
}

// Receipt says what became of an entry.
type Receipt struct {
	// Shard is the part of the ledger that it is in, Sequence how many entries that part has counted with it. A page has the number
	// of entries that it holds: an entry with a larger number is not in it.
	Shard    int
	Sequence int64
	// Saturated says that a sum of money has reached money.Max and stays there. It stands for at least that much.
	Saturated bool
}

// hashSize is the size of a job's name in bytes.
const hashSize = 16

// hash names a job.
type hash [hashSize]byte

// parseHash reads a job's name.
func parseHash(text string) (hash, error) {
	var h hash
	if len(text) != 2*hashSize {
		return h, fmt.Errorf("%w: its hash has %d characters", ErrJob, len(text))
	}
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return h, fmt.Errorf("%w: its hash is not hexadecimal", ErrJob)
		}
	}
	if _, err := hex.Decode(h[:], []byte(text)); err != nil {
		return h, fmt.Errorf("%w: %w", ErrJob, err)
	}
	return h, nil
}

// compare sorts names.
func (h hash) compare(o hash) int { return bytes.Compare(h[:], o[:]) }

// String returns the name in hexadecimal digits.
func (h hash) String() string { return hex.EncodeToString(h[:]) }
