package sekisho_test

import data.sekisho

test_the_decision_always_has_its_five_sets if {
	every phase in ["call", "list", "read", "prompt", "complete", "task", "elicit", "sample"] {
		object.keys(sekisho.decision) == {"grant", "deny", "approve", "warn", "obligations"} with data.packs as {} with input as changed({"phase": phase})
	}
}

test_a_read_is_granted_and_nothing_else if {
	sekisho.decision == {
		"grant": {{"id": "development-reads"}},
		"deny": set(),
		"approve": set(),
		"warn": set(),
		"obligations": set(),
	} with data.packs as {} with input as call
}

test_an_empty_input_is_granted_nothing if {
	count(sekisho.decision.grant) == 0 with data.packs as {} with input as {}
}
