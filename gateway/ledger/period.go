package ledger

import "time"

// Period is how long spend counts towards a budget. All periods are in UTC.
type Period string

// The periods. Any other word means Lifetime, which never spends too much.
const (
	// Day is a day of the calendar.
	Day Period = "Day"
	// Week begins on Monday, as in ISO 8601.
	Week Period = "Week"
	// Month is a month of the calendar.
	Month Period = "Month"
	// Lifetime has no end.
	Lifetime Period = "Lifetime"
)

const (
	secondsPerDay  = 24 * 60 * 60
	secondsPerHour = 60 * 60
	// maxDay is the last day of the year 9999, in days since 1970. Later times count as it, times before 1970 as day 0.
	maxDay = 2_932_896
	// maxHour is the end of maxDay in hours since 1970.
	maxHour = (maxDay + 1) * 24
	// maxSecond is the last second of maxDay.
	maxSecond = (maxDay+1)*secondsPerDay - 1
)

// secondOf returns a time in seconds since 1970.
func secondOf(at time.Time) int64 { return max(0, min(at.Unix(), maxSecond)) }

// dayOf returns the UTC day of a time, in days since 1970.
func dayOf(at time.Time) int32 { return int32(secondOf(at) / secondsPerDay) }

// hourAfter returns the first full hour that is not before a time, in hours since 1970.
func hourAfter(at time.Time) int32 {
	return int32((secondOf(at) + secondsPerHour - 1) / secondsPerHour)
}

// hourBefore returns the last full hour that is not after a time.
func hourBefore(at time.Time) int32 { return int32(secondOf(at) / secondsPerHour) }

// timeOfDay returns when a day begins.
func timeOfDay(day int32) time.Time { return time.Unix(int64(day)*secondsPerDay, 0).UTC() }

// timeOfHour returns when an hour begins.
func timeOfHour(hour int32) time.Time { return time.Unix(int64(hour)*secondsPerHour, 0).UTC() }

// weekOf numbers weeks: 0 is that of the first of January 1970, a Thursday.
func weekOf(day int32) int32 { return (day + 3) / 7 }

// monthOf numbers months: 0 is January 1970.
func monthOf(day int32) int32 {
	year, month, _ := timeOfDay(day).Date()
	return int32((year-1970)*12 + int(month) - 1)
}

// epoch numbers the period that a day lies in.
func (p Period) epoch(day int32) int32 {
	switch p {
	case Day:
		return day
	case Week:
		return weekOf(day)
	case Month:
		return monthOf(day)
	case Lifetime:
	}
	return 0
}
