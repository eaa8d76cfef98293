package sekisho_test

import data.sekisho

questions := {"questions": {"hosts": ["pay.test", ".sso.test"], "sampling_tiers": ["internal"]}}

elicits(asked) := changed({
	"phase": "elicit",
	"method": "elicitation/create",
	"elicitation": object.union({"mode": "form", "scheme": null, "host": null, "asks_secret": false}, asked),
})

samples(tier, asked) := changed({
	"phase": "sample",
	"method": "sampling/createMessage",
	"server": {"tier": tier},
	"sampling": object.union({"max_tokens": 10, "include_context": "none", "tools": false}, asked),
})

test_forms_are_shown_but_not_for_secrets if {
	count(sekisho.deny) == 0 with input as elicits({}) with data.packs as questions
	codes(sekisho.deny) == {"SECRET_BY_FORM"} with input as elicits({"asks_secret": true}) with data.packs as questions
}

test_pages_of_known_hosts_are_opened if {
	every host in ["pay.test", "a.sso.test"] {
		count(sekisho.deny) == 0 with input as elicits({"mode": "url", "scheme": "https", "host": host}) with data.packs as questions
	}
}

test_other_pages_are_not if {
	every page in [
		{"mode": "url", "scheme": "https", "host": "evil.test"},
		{"mode": "url", "scheme": "https", "host": "evilsso.test"},
		{"mode": "url", "scheme": "https", "host": null},
		{"mode": "url", "scheme": "http", "host": "pay.test"},
		{"mode": "unknown"},
	] {
		codes(sekisho.deny) == {"PAGE_FORBIDDEN"} with input as elicits(page) with data.packs as questions
	}
}

test_models_are_lent_by_tier if {
	count(sekisho.deny) == 0 with input as samples("internal", {}) with data.packs as questions
	codes(sekisho.deny) & {"SAMPLING_FORBIDDEN"} == {"SAMPLING_FORBIDDEN"} with input as samples("public", {}) with data.packs as questions
}

test_nobody_sees_what_others_said if {
	every context in ["allServers", "unknown"] {
		asked := samples("internal", {"include_context": context})
		codes(sekisho.deny) == {"SAMPLING_CONTEXT"} with input as asked with data.packs as questions
	}
}

test_calls_are_no_questions if {
	count(sekisho.deny) == 0 with input as call with data.packs as questions
}
