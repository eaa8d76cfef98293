package sekisho_test

import data.sekisho

budget := {"budget": {"warn_at": 0.8, "read_only_at": 0.9}}

spent(what, used, limit) := object.union(what, {"run": {"budget": {
	"calls": {"used": used, "limit": limit},
	"bytes": {"used": 0, "limit": null},
}}})

test_a_budget_that_lasts_is_no_matter if {
	count(sekisho.warn) + count(sekisho.deny) == 0 with input as spent(write, 79, 100) with data.packs as budget
}

test_a_budget_that_is_low_is_noted if {
	codes(sekisho.warn) == {"BUDGET_LOW"} with input as spent(write, 80, 100) with data.packs as budget
	count(sekisho.deny) == 0 with input as spent(write, 89, 100) with data.packs as budget
}

test_a_budget_that_ends_lets_only_read if {
	codes(sekisho.deny) == {"BUDGET_ENDS"} with input as spent(write, 90, 100) with data.packs as budget
	count(sekisho.deny) == 0 with input as spent(call, 99, 100) with data.packs as budget
}

test_a_budget_without_limit_never_ends if {
	count(sekisho.warn) + count(sekisho.deny) == 0 with input as spent(write, 1000, null) with data.packs as budget
}

test_a_budget_that_ends_withholds_no_answer if {
	answer := object.union(spent(write, 100, 100), {"phase": "result"})
	count(sekisho.deny) == 0 with input as answer with data.packs as budget
}
