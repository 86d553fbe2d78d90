package spend

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/fxamacker/cbor/v2"

	"vipcloud.ai/vipcloud/gateway/ledger"
	"vipcloud.ai/vipcloud/gateway/money"
)

// What a record of a journal can be.
const (
	// recordBegin is the first of each segment: Report names whom the journal belongs to. If Requests is 1, all segments before this one
	// are void.
	recordBegin = iota + 1
	// recordRequest is a ledger.Entry, recordJob a ledger.JobEntry, both with the shard and the number of their receipt.
	recordRequest
	recordJob
	// recordWritten says up to which number a shard was written, and in which report.
	recordWritten
	// recordBegun names, in Report, the report that a shard is about to be written in for the first time.
	recordBegun
)

const (
	// frameSize is what stands before each record: its length and its CRC-32C, 4 bytes each.
	frameSize = 8
	// maxRecord bounds a record. A job's ticket is the largest part.
	maxRecord = 16 << 10
)

// record is one entry of a journal. Members that a kind does not have are empty.
type record struct {
	_                 struct{} `cbor:",toarray"`
	Kind              int
	Shard             int
	Sequence          int64
	Key, Reset, Model string
	At                int64 // seconds since 1970; of a job: when it was made
	Requests          int64
	Usage             ledger.Usage
	Amount            int64
	Estimated         bool
	Hash, State       string
	Deadline          int64
	Ticket            string
	Report            string
}

// requestRecord is the record of a request.
func requestRecord(r ledger.Receipt, e *ledger.Entry) *record {
	return &record{
		Kind: recordRequest, Shard: r.Shard, Sequence: r.Sequence, Key: e.Key, Reset: e.Reset, Model: e.Model, At: e.At.Unix(),
		Requests: e.Requests, Usage: e.Usage, Amount: int64(e.Cost), Estimated: e.Estimated,
	}
}

// jobRecord is the record of what is known of a job.
func jobRecord(r ledger.Receipt, e *ledger.JobEntry) *record {
	return &record{
		Kind: recordJob, Shard: r.Shard, Sequence: r.Sequence, Key: e.Key, Reset: e.Reset, Model: e.Model, At: e.Created.Unix(),
		Usage: e.Usage, Amount: int64(e.Amount), Hash: e.Hash, State: string(e.State), Deadline: e.Deadline.Unix(), Ticket: e.Ticket,
	}
}

// entry is the reverse of requestRecord.
func (r *record) entry() ledger.Entry {
	return ledger.Entry{
		Key: r.Key, Reset: r.Reset, Model: r.Model, At: time.Unix(r.At, 0), Requests: r.Requests, Usage: r.Usage,
		Cost: money.Amount(r.Amount), Estimated: r.Estimated,
	}
}

// jobEntry is the reverse of jobRecord.
func (r *record) jobEntry() ledger.JobEntry {
	return ledger.JobEntry{
		Hash: r.Hash, Key: r.Key, Reset: r.Reset, Model: r.Model, Amount: money.Amount(r.Amount), Usage: r.Usage,
		State: ledger.JobState(r.State), Created: time.Unix(r.At, 0), Deadline: time.Unix(r.Deadline, 0), Ticket: r.Ticket,
	}
}

// castagnoli is the table of CRC-32C.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encoding writes records. They are read by the version that wrote them and by later ones.
var encoding = func() cbor.EncMode {
	mode, err := cbor.EncOptions{}.EncMode()
	if err != nil {
		panic(err) // the options are ours, and good
	}
	return mode
}()

// appendTo writes a record with its frame behind what a buffer holds.
func (r *record) appendTo(b *bytes.Buffer) error {
	start := b.Len()
	b.Write(make([]byte, frameSize))
	if err := encoding.NewEncoder(b).Encode(r); err != nil {
		b.Truncate(start)
		return fmt.Errorf("writing record: %w", err)
	}
	frame := b.Bytes()[start:]
	body := frame[frameSize:]
	if len(body) > maxRecord {
		b.Truncate(start)
		return fmt.Errorf("writing record: %w", errRecordSize)
	}
	binary.LittleEndian.PutUint32(frame, uint32(len(body)))
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(body, castagnoli))
	return nil
}

// Errors of records.
var (
	errRecordSize = errors.New("too long")
	errTorn       = errors.New("not written whole")
)

// readRecord reads a record. The error is io.EOF at the end, or errTorn for one that was not written whole.
func readRecord(from io.Reader) (*record, error) {
	var frame [frameSize]byte
	switch _, err := io.ReadFull(from, frame[:]); {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil:
		return nil, errTorn
	}
	size := binary.LittleEndian.Uint32(frame[:])
	if size > maxRecord {
		return nil, errTorn
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(from, body); err != nil || crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(frame[4:]) {
		return nil, errTorn
	}
	r := &record{}
	if err := cbor.Unmarshal(body, r); err != nil || r.Shard < 0 || r.Shard >= ledger.Shards {
		return nil, errTorn
	}
	return r, nil
}
