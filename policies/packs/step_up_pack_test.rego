package sekisho_test

import data.sekisho

step_up := {"step_up": {"scopes": {"write": "mcp:write"}}}

person(what) := object.union(what, {"principal": {"type": "user", "id": "ann", "groups": ["developers"]}})

test_step_up_wants_a_scope_of_a_person if {
	{one.properties | some one in sekisho.obligations} == {{"scope": "mcp:write"}} with input as person(write) with data.packs as step_up
}

test_step_up_wants_none_for_other_actions if {
	count(sekisho.obligations) == 0 with input as person(call) with data.packs as step_up
}

test_step_up_wants_none_of_a_run if {
	count(sekisho.obligations) == 0 with input as object.union(write, {"principal": {"type": "run"}}) with data.packs as step_up
}

test_step_up_is_not_for_lists if {
	count(sekisho.obligations) == 0 with input as object.union(person(write), {"phase": "list"}) with data.packs as step_up
}
