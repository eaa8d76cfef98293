package sekisho_test

import data.sekisho

signatures := {"signatures": {"tiers": {"internal": ["verified", "unsigned"], "partner": ["verified"]}}}

signed(tier, status, drifted) := changed({"server": {
	"tier": tier,
	"signature": {"status": status},
	"metadata": {"pinned": true, "changed": drifted},
}})

test_signatures_that_a_tier_allows_count if {
	count(sekisho.deny) == 0 with input as signed("internal", "unsigned", false) with data.packs as signatures
	count(sekisho.deny) == 0 with input as signed("partner", "verified", false) with data.packs as signatures
}

test_signatures_that_it_does_not_allow_do_not if {
	codes(sekisho.deny) == {"SIGNATURE_STATUS"} with input as signed("partner", "unsigned", false) with data.packs as signatures
}

test_signatures_of_a_tier_that_is_not_named_do_not if {
	codes(sekisho.deny) == {"SIGNATURE_STATUS"} with input as signed("public", "verified", false) with data.packs as signatures
}

test_a_definition_that_changed_is_denied if {
	codes(sekisho.deny) == {"DEFINITION_CHANGED"} with input as signed("partner", "verified", true) with data.packs as signatures
}
