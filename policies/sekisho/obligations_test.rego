package sekisho_test

import data.sekisho

cap := {"id": "cap", "type": "max_answer_bytes", "properties": {"bytes": 262144}}

test_a_tier_can_oblige if {
	sekisho.obligations == {cap} with data.packs as {} with input as call with data.obligations as {"internal": [cap], "public": []}
}

test_other_tiers_are_left_alone if {
	count(sekisho.obligations) == 0 with data.packs as {} with input as call with data.obligations as {"internal": [], "public": [cap]}
}
