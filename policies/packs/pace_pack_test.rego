package sekisho_test

import data.sekisho

pace := {"pace": {"per_min": {"write": 10}}}

test_pace_is_by_run_and_tool if {
	{one.properties | some one in sekisho.obligations} == {{"key": "run+tool", "per_min": 10}} with input as write
		with data.packs as pace
}

test_pace_leaves_other_actions_alone if {
	count(sekisho.obligations) == 0 with input as call with data.packs as pace
}
