package sekisho_test

import data.sekisho

hours := {"hours": {"actions": ["write"], "weekdays": ["mon", "tue"], "from": 480, "until": 1080}}

clock(what, weekday, minute) := object.union(what, {"time": {"weekday": weekday, "minute": minute}})

test_hours_permit_what_is_within_them if {
	count(sekisho.deny) == 0 with input as clock(write, "mon", 480) with data.packs as hours
	count(sekisho.deny) == 0 with input as clock(write, "tue", 1079) with data.packs as hours
}

test_hours_deny_what_is_not if {
	codes(sekisho.deny) == {"OUT_OF_HOURS"} with input as clock(write, "mon", 479) with data.packs as hours
	codes(sekisho.deny) == {"OUT_OF_HOURS"} with input as clock(write, "mon", 1080) with data.packs as hours
	codes(sekisho.deny) == {"OUT_OF_HOURS"} with input as clock(write, "sun", 600) with data.packs as hours
}

test_hours_leave_other_actions_alone if {
	count(sekisho.deny) == 0 with input as clock(call, "sun", 0) with data.packs as hours
}

test_hours_withhold_no_answer if {
	answer := object.union(clock(write, "sun", 0), {"phase": "result"})
	count(sekisho.deny) == 0 with input as answer with data.packs as hours
}
