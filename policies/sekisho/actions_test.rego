package sekisho_test

import data.sekisho

test_a_tool_with_an_action_is_classified if {
	every action in sekisho.actions {
		not "TOOL_UNCLASSIFIED" in codes(sekisho.deny) with data.packs as {} with input as changed({"tool": {"action": action}})
	}
}

test_a_tool_without_an_action_is_denied if {
	codes(sekisho.deny) == {"TOOL_UNCLASSIFIED"} with data.packs as {} with input as changed({"tool": {"action": null}})
}

test_a_tool_with_an_unheard_of_action_is_denied if {
	codes(sekisho.deny) & {"TOOL_UNCLASSIFIED"} != set() with data.packs as {} with input as changed({"tool": {"action": "look"}})
}

test_a_resource_needs_no_classification if {
	count(sekisho.deny) == 0 with data.packs as {} with input as changed({"phase": "read", "tool": null, "facts": {"paths": []}})
}
