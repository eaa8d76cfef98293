package sekisho_test

import data.sekisho

risky := object.union(write, {"tool": {"name": "move_file", "ref": "files/move_file", "risk": "high"}})

test_a_risky_call_asks_for_fifteen_minutes if {
	sekisho.approve == {{
		"code": "RISKY_CALL",
		"message": "files/move_file wants to write on a server of tier internal: a person must agree first.",
		"groups": [],
		"min": 1,
		"ttl_s": 900,
		"scope": "call",
		"not_requester": false,
		"form": null,
	}} with data.packs as {} with input as risky
}

test_an_ordinary_write_does_not_ask if {
	count(sekisho.approve) == 0 with data.packs as {} with input as write
}

test_any_write_on_a_public_server_asks if {
	low := object.union(write, {"server": {"tier": "public"}, "tool": {"risk": "low"}})
	codes(sekisho.approve) == {"RISKY_CALL"} with data.packs as {} with input as low
}

test_reading_never_asks if {
	every tier in object.keys(data.tiers) {
		count(sekisho.approve) == 0 with data.packs as {} with input as changed({"server": {"tier": tier}})
	}
}

test_a_tier_nobody_described_asks_nothing_and_is_denied if {
	elsewhere := object.union(risky, {"server": {"tier": "moon"}})
	count(sekisho.approve) == 0 with data.packs as {} with input as elsewhere
	"TIER_ACTION" in codes(sekisho.deny) with data.packs as {} with input as elsewhere
}
