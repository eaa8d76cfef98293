package sekisho_test

import data.sekisho

trifecta := {"trifecta": {
	"untrusted": ["public"],
	"private": ["files"],
	"outgoing_actions": ["write", "egress"],
	"outgoing_tiers": ["public"],
	"ask": false,
	"groups": [],
}}

asking := {"trifecta": object.union(trifecta.trifecta, {"ask": true, "groups": ["owners"]})}

having_read(what, taint, sensitivity) := object.union(what, {"run": {"taint": taint, "sensitivity": sensitivity}})

public := {"server": {"id": "web", "tier": "public"}}

test_trifecta_remembers_what_a_run_reads if {
	{one.properties | some one in sekisho.obligations} == {{"sensitivity": ["private"]}} with input as having_read(call, [], [])
		with data.packs as trifecta
	web := object.union(having_read(call, [], []), public)
	{one.properties | some one in sekisho.obligations} == {{"add": ["public"]}} with input as web with data.packs as trifecta
}

test_trifecta_lets_nothing_out if {
	both := having_read(write, ["public"], ["private"])
	codes(sekisho.deny) == {"TRIFECTA"} with input as both with data.packs as trifecta
	asks_web := object.union(having_read(call, ["public"], ["private"]), public)
	codes(sekisho.deny) == {"TRIFECTA"} with input as asks_web with data.packs as trifecta
}

test_trifecta_lets_read_on_inside if {
	count(sekisho.deny) == 0 with input as having_read(call, ["public"], ["private"]) with data.packs as trifecta
}

test_trifecta_needs_all_three if {
	every read in [[[], ["private"]], [["public"], []], [["partner"], ["private"]], [["public"], ["other"]], [null, null]] {
		count(sekisho.deny) == 0 with input as having_read(write, read[0], read[1]) with data.packs as trifecta
	}
}

test_trifecta_may_ask if {
	both := having_read(write, ["public"], ["private"])
	count(sekisho.deny) == 0 with input as both with data.packs as asking
	some ask in sekisho.approve with input as both with data.packs as asking
	ask.code == "TRIFECTA"
	ask.groups == ["owners"]
}

test_trifecta_remembers_no_list if {
	listed := object.union(having_read(call, [], []), {"phase": "list"})
	count(sekisho.obligations) == 0 with input as listed with data.packs as trifecta
}

test_trifecta_withholds_no_answer if {
	answer := object.union(having_read(write, ["public"], ["private"]), {"phase": "result"})
	count(sekisho.deny) == 0 with input as answer with data.packs as trifecta
}
