package sekisho_test

import data.sekisho
import future.keywords.not

findings := {"findings": {"tiers": ["public"], "deny": ["instructs_model", "unread"], "warn": ["email"]}}

answered(tier, found) := changed({
	"phase": "result",
	"server": {"tier": tier},
	"result": {"is_error": false, "types": ["text"], "findings": [{"kind": kind, "pointer": "/content/0/text"} | some kind in found]},
})

test_findings_withhold_an_answer if {
	codes(sekisho.deny) == {"ANSWER_FINDING"} with input as answered("public", ["email", "instructs_model"]) with data.packs as findings
	codes(sekisho.deny) == {"ANSWER_FINDING"} with input as answered("public", ["unread"]) with data.packs as findings
}

test_findings_may_only_be_noted if {
	count(sekisho.deny) == 0 with input as answered("public", ["email"]) with data.packs as findings
	"ANSWER_EMAIL" in codes(sekisho.warn) with input as answered("public", ["email"]) with data.packs as findings
}

test_findings_of_other_tiers_and_kinds_are_no_matter if {
	count(sekisho.deny) == 0 with input as answered("internal", ["instructs_model"]) with data.packs as findings
	count(sekisho.deny) == 0 with input as answered("public", ["card"]) with data.packs as findings
	not "ANSWER_CARD" in codes(sekisho.warn) with input as answered("public", ["card"]) with data.packs as findings
}

test_there_are_none_in_a_call if {
	count(sekisho.deny) == 0 with input as changed({"result": null, "server": {"tier": "public"}}) with data.packs as findings
}
