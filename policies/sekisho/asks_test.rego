package sekisho_test

import data.sekisho

risky := object.union(write, {"tool": {"name": "move_file", "ref": "files/move_file", "risk": "high"}})

test_a_risky_call_asks_for_fifteen_minutes if {
	sekisho.approve == {{
		"code": "RISKY_CALL",
		"groups": [],
		"min": 1,
		"ttl_s": 900,
		"scope": "call",
		"not_requester": false,
		"form": null,
	}} with input as risky
}

test_an_ordinary_write_does_not_ask if {
	count(sekisho.approve) == 0 with input as write
}

test_an_approved_call_does_not_ask_again if {
	count(sekisho.approve) == 0 with input as object.union(risky, {"approval": {"id": "apr_1", "code": "RISKY_CALL"}})
}

test_an_approval_of_something_else_does_not_count if {
	count(sekisho.approve) == 1 with input as object.union(risky, {"approval": {"id": "apr_1", "code": "OTHER"}})
}

test_any_write_on_a_public_server_asks if {
	low := object.union(write, {"server": {"tier": "public"}, "tool": {"risk": "low"}})
	codes(sekisho.approve) == {"RISKY_CALL"} with input as low
}

test_reading_never_asks if {
	every tier in object.keys(data.tiers) {
		count(sekisho.approve) == 0 with input as changed({"server": {"tier": tier}})
	}
}
