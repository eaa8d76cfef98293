package sekisho_test

import data.sekisho

answer_types := {"answer_types": {"tiers": ["public"], "allow": ["text", "resource", "text/*"]}}

of_types(tier, types) := changed({
	"phase": "result",
	"server": {"tier": tier},
	"result": {"is_error": false, "types": types, "findings": []},
})

test_answer_types_that_are_allowed_come_back if {
	every types in [[], ["text"], ["resource", "text/html"]] {
		count(sekisho.deny) == 0 with input as of_types("public", types) with data.packs as answer_types
	}
}

test_answer_types_that_are_not_do_not if {
	every types in [["image", "text"], ["resource", "application/x-sh"]] {
		codes(sekisho.deny) == {"ANSWER_TYPE"} with input as of_types("public", types) with data.packs as answer_types
	}
}

test_answer_types_of_other_tiers_are_no_matter if {
	count(sekisho.deny) == 0 with input as of_types("internal", ["image"]) with data.packs as answer_types
}
