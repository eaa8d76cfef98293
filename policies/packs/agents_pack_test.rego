package sekisho_test

import data.sekisho

agents := {"agents": {"at_most": {
	"reader": {"actions": ["read"], "servers": ["files"]},
	"(none)": {"actions": ["read", "write"], "servers": ["*"]},
}}}

by(agent, what) := object.union(what, {"agent": {"id": agent}})

test_agents_may_what_their_row_says if {
	count(sekisho.deny) == 0 with input as by("reader", call) with data.packs as agents
	count(sekisho.deny) == 0 with input as by(null, write) with data.packs as agents
}

test_agents_may_no_more if {
	codes(sekisho.deny) == {"AGENT_BEYOND"} with input as by("reader", write) with data.packs as agents
	elsewhere := object.union(call, {"server": {"id": "tickets"}})
	codes(sekisho.deny) == {"AGENT_BEYOND"} with input as by("reader", elsewhere) with data.packs as agents
}

test_agents_without_a_row_may_nothing if {
	codes(sekisho.deny) == {"AGENT_BEYOND"} with input as by("stranger", call) with data.packs as agents
}

test_agents_whose_row_is_broken_may_nothing if {
	broken := {"agents": {"at_most": {"reader": {"actions": ["read"]}}}}
	codes(sekisho.deny) == {"AGENT_BEYOND"} with input as by("reader", call) with data.packs as broken
}
