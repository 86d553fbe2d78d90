package spend

import "vipcloud.ai/vipcloud/gateway/ledger"

// CompactNow compacts the journal however small it is.
func (b *Books) CompactNow(pending [ledger.Shards]int64) error { return b.journal.compact(pending) }
