package sekisho_test

import data.sekisho

break_glass := {"break_glass": {"groups": ["oncall"], "actions": ["delete"], "approvers": ["oncall-leads"], "ttl_s": 1800}}

emergency := changed({
	"principal": {"id": "ann", "groups": ["oncall"]},
	"tool": {"action": "delete", "risk": "low", "paths": []},
})

test_break_glass_grants_when_another_agrees_and_keeps_all if {
	ids(sekisho.grant) == {"break-glass"} with input as emergency with data.packs as break_glass
	some ask in sekisho.approve with input as emergency with data.packs as break_glass
	ask.groups == ["oncall-leads"]
	ask.not_requester == true
	{one.type | some one in sekisho.obligations} == {"log"} with input as emergency with data.packs as break_glass
}

test_break_glass_is_for_its_groups_and_actions_only if {
	stranger := object.union(emergency, {"principal": {"groups": ["sales"]}})
	count(sekisho.grant) + count(sekisho.approve) == 0 with input as stranger with data.packs as break_glass
	other := object.union(emergency, {"tool": {"action": "admin"}})
	count(sekisho.grant) + count(sekisho.approve) == 0 with input as other with data.packs as break_glass
}

test_break_glass_lifts_no_deny if {
	public := object.union(emergency, {"server": {"tier": "public"}})
	"TIER_ACTION" in codes(sekisho.deny) with input as public with data.packs as break_glass
}
