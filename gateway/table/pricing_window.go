package table

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // Price windows mean the same in an image without zone files.

	"vipcloud.ai/vipcloud/api/v1alpha1"
	"vipcloud.ai/vipcloud/gateway/money"
)

// newWindow compiles a time of the week.
func newWindow(w *v1alpha1.PriceWindow, zones zones) (PriceWindow, error) {
	compiled := PriceWindow{Name: w.Name}
	var err error
	if compiled.Days, err = days(w.Days); err != nil {
		return compiled, err
	}
	if compiled.Start, err = minuteOfDay(w.Start); err != nil {
		return compiled, fmt.Errorf("start: %w", err)
	}
	if compiled.End, err = minuteOfDay(w.End); err != nil {
		return compiled, fmt.Errorf("end: %w", err)
	}
	if compiled.Start == compiled.End || compiled.Start == 24*60 {
		return compiled, fmt.Errorf("start %s and end %s make no window; use 00:00 and 24:00 for a whole day", w.Start, w.End)
	}
	if compiled.Zone, err = zones.load(w.TimeZone); err != nil {
		return compiled, err
	}
	if compiled.Multiplier, err = money.ParseMultiplier(string(w.Multiplier)); err != nil {
		return compiled, fmt.Errorf("multiplier: %w", err)
	}
	return compiled, nil
}

// days returns the weekdays of a list; all of them for an empty one.
func days(list []v1alpha1.Weekday) (set [7]bool, err error) {
	for _, d := range list {
		i := strings.Index("SunMonTueWedThuFriSat", string(d))
		if len(d) != 3 || i < 0 || i%3 != 0 {
			return set, fmt.Errorf("days: %q is none of Mon, Tue, Wed, Thu, Fri, Sat, Sun", d)
		}
		set[i/3] = true
	}
	if len(list) == 0 {
		set = [7]bool{true, true, true, true, true, true, true}
	}
	return set, nil
}

// minuteOfDay reads HH:MM, up to 24:00.
func minuteOfDay(text string) (int, error) {
	if len(text) == 5 && text[2] == ':' {
		hour, errHour := strconv.ParseUint(text[:2], 10, 8)
		minute, errMinute := strconv.ParseUint(text[3:], 10, 8)
		total := int(hour*60 + minute)
		if errHour == nil && errMinute == nil && minute < 60 && total <= 24*60 {
			return total, nil
		}
	}
	return 0, fmt.Errorf("%q is no time of day; use HH:MM", text)
}

// zones caches time zones by name.
type zones map[string]*time.Location

// load returns a time zone; UTC for no name.
func (z zones) load(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	if zone := z[name]; zone != nil {
		return zone, nil
	}
	zone, err := time.LoadLocation(name)
	// Local is whatever machine this runs on, which nobody can mean.
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("timeZone %q is not known; use a name such as Asia/Shanghai", name)
	}
	z[name] = zone
	return zone, nil
}
