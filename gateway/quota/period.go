package quota

import "time"

// Period is how long a budget lasts before it begins anew. All of them are in UTC.
type Period string

// The periods.
const (
	Day      Period = "Day"
	Week     Period = "Week"
	Month    Period = "Month"
	Lifetime Period = "Lifetime"
)

// End returns when the period that at lies in ends; zero for a lifetime. Weeks begin on Monday.
func (p Period) End(at time.Time) time.Time {
	at = at.UTC()
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	switch p {
	case Day:
		return day.AddDate(0, 0, 1)
	case Week:
		return day.AddDate(0, 0, 7-(int(at.Weekday())+6)%7)
	case Month:
		return time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	case Lifetime:
	}
	return time.Time{}
}
