package sekisho_test

import data.sekisho

read_only := {"read_only": {"on": false, "freezes": [{"from": "2026-12-20T00:00:00Z", "until": "2027-01-04T00:00:00Z"}]}}

# 2026-12-20T00:00:00Z
winter := 1797724800000

moment(what, ms) := object.union(what, {"time": {"unix_ms": ms}})

test_read_only_holds_from_the_first_moment_to_the_last if {
	codes(sekisho.deny) == {"READ_ONLY"} with input as moment(write, winter) with data.packs as read_only
	last := (winter + ((15 * 86400) * 1000)) - 1
	codes(sekisho.deny) == {"READ_ONLY"} with input as moment(write, last) with data.packs as read_only
}

test_read_only_ends if {
	count(sekisho.deny) == 0 with input as moment(write, winter - 1) with data.packs as read_only
	after := winter + ((15 * 86400) * 1000)
	count(sekisho.deny) == 0 with input as moment(write, after) with data.packs as read_only
}

test_read_only_lets_read if {
	count(sekisho.deny) == 0 with input as moment(call, winter) with data.packs as read_only
}

test_read_only_can_be_switched_on if {
	on := {"read_only": {"on": true, "freezes": []}}
	codes(sekisho.deny) == {"READ_ONLY"} with input as moment(write, 0) with data.packs as on
}

test_a_freeze_that_cannot_be_read_holds if {
	every freeze in [{}, "x", {"from": "20 December", "until": "x"}, {"from": "2026-12-20T00:00:00Z"}] {
		odd := {"read_only": {"on": false, "freezes": [freeze]}}
		codes(sekisho.deny) == {"READ_ONLY"} with input as moment(write, winter) with data.packs as odd
	}
}

test_read_only_withholds_no_answer if {
	answer := object.union(moment(write, winter), {"phase": "result"})
	count(sekisho.deny) == 0 with input as answer with data.packs as read_only
}
