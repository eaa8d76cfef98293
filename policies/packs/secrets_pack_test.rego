package sekisho_test

import data.sekisho

secrets := {"secrets": {"tiers": ["local", "internal"], "mask": true}}

holding(tier, found) := changed({"server": {"tier": tier}, "facts": {"secrets": found}})

secret := {"part": "arguments", "pointer": "/a", "kind": "jwt"}

strict := {"secrets": object.union(secrets.secrets, {"mask": false})}

test_secrets_may_go_to_trusted_tiers if {
	count(sekisho.deny) + count(sekisho.obligations) == 0 with input as holding("internal", [secret]) with data.packs as secrets
}

test_secrets_are_masked_elsewhere if {
	found := [secret, {"part": "arguments", "pointer": "/b", "kind": "aws_key"}]
	count(sekisho.deny) == 0 with input as holding("public", found) with data.packs as secrets
	{one.properties.kinds | some one in sekisho.obligations} == {["aws_key", "jwt"]} with input as holding("public", found)
		with data.packs as secrets
}

test_secrets_that_may_not_be_masked_are_denied if {
	codes(sekisho.deny) == {"SECRET_LEAVES"} with input as holding("public", [secret]) with data.packs as strict
}

test_what_cannot_be_masked_is_denied if {
	every one in [{"kind": "unread"}, {"part": "_meta"}, {"part": "input_responses"}] {
		found := [object.union(secret, one)]
		codes(sekisho.deny) == {"SECRET_LEAVES"} with input as holding("public", found) with data.packs as secrets
		count(sekisho.obligations) == 0 with input as holding("public", found) with data.packs as secrets
	}
}

test_no_secret_is_no_matter if {
	count(sekisho.deny) + count(sekisho.obligations) == 0 with input as holding("public", []) with data.packs as strict
}
