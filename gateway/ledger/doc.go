// Package ledger counts usage and money of keys and adds up what many replicas have counted, so that nothing is lost and nothing
// counts twice. It knows no clock, no files, no API server and no currency: times and bytes come from its callers, who keep its
// pages in UsageReport objects.
//
// # Parts
//
// A Book is what one replica has counted, in Shards parts by a hash of the key. A part is written as a Page, the content of one live
// report. An Archive is one part of what live reports held that are gone. The total of a key is that of its part's archive and of
// all live reports of that part whose UID the archive does not list as merged; a View keeps it up to date.
//
//	Book.Settle, Book.Job -> Book.Encode -> report -> Decode -> View.SetLive -> View.Spent
//	                                            \--> Archive.Merge, Archive.Fold -> View.SetArchive
//
// # Spend
//
// Spend is kept by key, by the value of the key's reset annotation, and by period: the two newest days, ISO weeks and months (UTC) in
// which anything was spent, and the lifetime. Sums add what belongs to the same period; of all periods the two newest stay. That
// comes to the same in whatever order reports are added. One period alone would lose today's spend as soon as one replica's clock is in
// tomorrow; with two, one clock may even be wrong for good. An older period vanishes from spend and stays in lifetime and history.
//
// Each value of the reset annotation is an account of its own, and whoever asks names the value that holds now. So a changed value
// begins at zero, and no replay, no replica that has not heard of the change and no old report can bring the old spend back or hide
// the new one: nobody asks for it. Nothing tells which value is the newer one, as a replica may be late; so the four accounts that
// were used last are kept. To go back to one of them is to go on where it was, and that includes removing the annotation: a
// reset needs a value that was not used before. A job stays with the value that its event named.
//
// Sums of money that pass money.Max end there and stay there, and stand for at least that much: Receipt.Saturated tells it when it
// happens, and money.Max whenever it is read. Counters of usage end at the largest number as well.
//
// # Previous keys
//
// While a key that was rotated out is still accepted, its last use is kept apart: as that of the name PreviousKey, of which there is an
// entry of no request and no money. A replica makes one a minute for each such key, so it is known to the minute.
//
// # Jobs
//
// Job money is a set by the hash of the job's id: of everything that anybody reports of a job the highest counts, charged over
// released over reserved, then the larger amount, then a fixed order of all that is known. So each job counts once whichever
// replicas report it, how often and in which order. It counts on the day that it was made, whenever it ends.
//
// A job stays in the set until nobody can report it any more: for Keep (7 days, as long as it can be asked for) and Slack (24 hours,
// for what is on its way) after its deadline, rounded up to an hour. Then Archive.Fold turns it into plain counters, from the archive
// and all live reports at once, and moves the archive's horizon past its deadline. What has a deadline up to the horizon is ignored
// from then on wherever it stands, so each job is folded exactly once. Only when a book has seen the new horizon (Book.Folded) does it
// forget such jobs. A job of which nobody said how it ended is charged.
//
// A job that runs may have a ticket: what somebody needs who wants to find out how it ended, sealed by whoever made it. It is kept with
// the job wherever that goes, into other books and the archive, and forgotten when the job ends. Overdue names the jobs whose deadline
// has passed, to the second where there is a ticket.
//
// # History
//
// Usage is kept by key, model and UTC day: HistoryDays days and MaxModels models of a key, the rest as OtherModel. It is whatever the
// reset annotation. A replica whose clock is far ahead shortens the history that it keeps itself, never money.
//
// # Retiring
//
// A live report whose writer is gone is merged into the archive: one write of the archive's page together with its list of merged
// UIDs, under the resource version that was read. Then the report is deleted, then its UID leaves the list. A second merge is
// ErrMerged. The writer must not be able to write any more: who is not sure updates the report first, so that the writer's next
// update conflicts; a writer that finds its report retired while it is running calls Book.Retired with what the report held and goes
// on in a new report. What a replica had counted and not written when it was lost is lost with it, and nothing else.
//
// # Format
//
// A page is JSON with sorted members, no space, plain ASCII names and integers from 0 to 2^63-1 (readers must not take them for
// floats), so that it comes back from an API server as the same bytes. Decode takes nothing else.
//
//	{"format":1,          this format; another is ErrVersion
//	 "horizon":498756,    the hour up to which jobs were folded, by their deadline; hours, days and seconds count from 1970 in UTC
//	 "keys":{"shop/web":{
//	  "jobs":[[state,reset,model,day made,deadline hour,amount,[usage],"hashes of 16 bytes each, in base64"],…],
//	  "models":[[name,[day,requests,cost,requests with estimated usage,usage…],…],…],
//	  "spend":[[reset,second last used,lifetime,[day,amount,…],[week,amount,…],[month,amount,…]],…],
//	  "tickets":[["hash of 16 bytes, in base64",second of the deadline,"text"],…],   only if there are any
//	  "used":1795348800}},  the second of last use
//	 "sequence":8,        how many entries it holds; see Receipt
//	 "shard":56,          0 to 63
//	 "thinned":0}         the newest day of which usage was forgotten for want of room
//
// Usage is: prompt, completion, cached, reasoning and cache-write tokens, images, seconds, characters, songs; zeros at the end are
// left out. Week 0 began on Monday, 29 December 1969, month 0 is January 1970. Money is in picounits. Names that are too long or
// not plain stand as "sha256:" and half of their digest.
//
// # Room
//
// A page has at most MaxBytes (256 KiB). If it would have more, its history gives way: the oldest days of all its keys down to seven,
// then each key's models become OtherModel, then the other days. View.History tells from when on it is whole. Money and jobs never
// give way: a page of theirs alone may have MaxMoneyBytes (1 MiB). From there Encode refuses with ErrTooLarge, and keeps everything.
// Tickets have MaxTicketBytes (128 KiB) of their own, about 290 running jobs of a video model: those that end first are written, and a
// book keeps the others in memory.
//
//   - The last use of a previous key takes about 75 bytes, in the shard that its name belongs to.
//   - The money of a key takes about 160 bytes, 215 once there are two of each period; a model and day 40 to 55; a job 22 and its
//     group about 70 (jobs of one model, day, hour of deadline, amount and usage are a group).
//   - With 10,000 active keys a page has room for about 28 models × days of each key. Without history it has room for 1,200 keys, and
//     for 4,900 in MaxMoneyBytes, which is 310,000 keys of an instance.
//   - Jobs of one key fill MaxBytes at about 12,000 and MaxMoneyBytes at about 49,000: with deadlines of 48 hours, which are in the
//     set for 10 days, that is 1,200 and 4,900 jobs a day.
//
// In memory a key takes about 350 bytes of a Book and 105 to 210 for each model and day, so 10,000 keys that used two models on
// five days take 22 MB; a View takes about 250 bytes a key, and for each report that tells of it 350 and what is encoded: 12 MB for the
// same keys and one report.
//
// CPU time on one core of a busy cloud machine, with 10,000 keys: Settle 0.4 µs (0.25 µs if the key is in the cache) and no allocation
// for a known key, Spent 0.35 µs and none; a page of 256 KiB is encoded in 0.8 ms, during which its shard counts nothing (4.5 ms if it
// is 10,000 jobs), and decoded in 0.9 ms; a view takes one of which one key has changed in 30 µs. The tests hold the allocations and
// the memory to their bounds.
package ledger
