package sekisho_test

import data.sekisho

duties := {"duties": {"risks": ["critical"], "groups": ["owners"], "ttl_s": 600}}

of_risk(risk) := object.union(write, {"tool": {"risk": risk}})

test_duties_ask_a_second_person if {
	some ask in sekisho.approve with input as of_risk("critical") with data.packs as duties
	ask.code == "SECOND_PERSON"
	ask.groups == ["owners"]
	ask.ttl_s == 600
	ask.not_requester == true
}

test_duties_leave_lesser_risks_alone if {
	not "SECOND_PERSON" in codes(sekisho.approve) with input as of_risk("high") with data.packs as duties
	not "SECOND_PERSON" in codes(sekisho.approve) with input as of_risk(null) with data.packs as duties
}

test_duties_that_are_not_whole_let_nothing_pass if {
	codes(sekisho.deny) == {"PACK_SETTINGS"} with input as call with data.packs as {"duties": {"risks": ["critical"]}}
}
