package sekisho_test

import data.sekisho

on(tier, action) := changed({"server": {"tier": tier}, "tool": {"action": action, "paths": []}, "facts": {"paths": []}})

test_a_public_server_may_read_and_write if {
	every action in ["read", "write"] {
		count(sekisho.deny) == 0 with data.packs as {} with input as on("public", action)
	}
}

test_a_public_server_may_do_no_more if {
	every action in ["delete", "exec", "egress", "admin"] {
		codes(sekisho.deny) == {"TIER_ACTION"} with data.packs as {} with input as on("public", action)
	}
}

test_an_internal_server_may_do_everything if {
	every action in sekisho.actions {
		count(sekisho.deny) == 0 with data.packs as {} with input as on("internal", action)
	}
}

test_a_tier_nobody_described_may_do_nothing if {
	codes(sekisho.deny) == {"TIER_ACTION"} with data.packs as {} with input as on("moon", "read")
}

test_a_server_in_quarantine_is_denied if {
	codes(sekisho.deny) == {"SERVER_QUARANTINED"} with data.packs as {} with input as on("quarantined", "read")
}

test_its_resources_are_denied_too if {
	read := object.union(on("quarantined", "read"), {"phase": "read", "tool": null})
	codes(sekisho.deny) == {"SERVER_QUARANTINED"} with data.packs as {} with input as read
}

test_unsigned_tools_of_others_are_worth_a_word if {
	codes(sekisho.warn) == {"DEFINITIONS_UNSIGNED"} with data.packs as {} with input as on("partner", "read")
	count(sekisho.warn) == 0 with data.packs as {} with input as on("internal", "read")
	signed := object.union(on("partner", "read"), {"server": {"signature": {"status": "verified"}}})
	count(sekisho.warn) == 0 with data.packs as {} with input as signed
}
