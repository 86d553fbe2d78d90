package ledger

import (
	"time"

	"vipcloud.ai/vipcloud/gateway/money"
)

// of returns the total of a key, nil if nothing is known of it.
func (v *View) of(key string) *total {
	key = identifier(key, maxKey)
	if totals := v.shards[shardOf(key)].totals.Load(); totals != nil {
		return (*totals)[key]
	}
	return nil
}

// standing returns where the money of a key stands, nil if nothing is known of it.
func (v *View) standing(key string) *standing {
	if t := v.of(key); t != nil {
		return &t.standing
	}
	return nil
}

// Spent returns what a key has spent under a value of its reset annotation in the period that a time lies in, charged jobs
// included. It is exact for the two newest periods in which anything was spent under that value; of earlier ones it may be less.
// money.Max means that much or more. It allocates nothing.
func (v *View) Spent(key, reset string, period Period, at time.Time) money.Amount {
	return v.standing(key).spent(reset, period, at)
}

// Reserved returns what running jobs of a key hold that were made in the period that a time lies in: it is not part of Spent. It
// allocates nothing.
func (v *View) Reserved(key, reset string, period Period, at time.Time) money.Amount {
	return v.standing(key).reserved(reset, period, at)
}

// LastUsed returns when a key was last used, zero if that is not known.
func (v *View) LastUsed(key string) time.Time {
	t := v.of(key)
	if t == nil || t.used == 0 {
		return time.Time{}
	}
	return time.Unix(t.used, 0).UTC()
}
