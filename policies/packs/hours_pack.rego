# When certain things may be done: on these days, between these minutes of the day, in UTC.
package sekisho

import future.keywords.not

pack_settings["hours"] := {"actions": "array", "weekdays": "array", "from": "number", "until": "number"}

deny contains {
	"code": "OUT_OF_HOURS",
	"message": $"Nobody may {action} at this time.",
} if {
	# What was allowed has happened: its answer is not withheld for it.
	input.phase != "result"
	action in data.packs.hours.actions
	not in_hours
}

in_hours if {
	pack := data.packs.hours
	input.time.weekday in pack.weekdays
	input.time.minute >= pack.from
	input.time.minute < pack.until
}
