package sekisho_test

import data.sekisho

identity := {"identity": {"types": ["user", "run"], "issuers": ["https://sekisho.*"]}}

caller(principal) := changed({"principal": object.union({"auth": {"issuer": "https://sekisho.local"}}, principal)})

test_identity_lets_a_known_caller_pass if {
	count(sekisho.deny) == 0 with input as caller({"type": "run"}) with data.packs as identity
}

test_identity_denies_another_type if {
	codes(sekisho.deny) == {"IDENTITY_TYPE"} with input as caller({"type": "service"}) with data.packs as identity
	codes(sekisho.deny) == {"IDENTITY_TYPE"} with input as caller({"type": null}) with data.packs as identity
}

test_identity_denies_another_issuer if {
	elsewhere := caller({"type": "user", "auth": {"issuer": "https://evil.example"}})
	codes(sekisho.deny) == {"IDENTITY_ISSUER"} with input as elsewhere with data.packs as identity
}

test_identity_denies_who_has_none if {
	codes(sekisho.deny) == {"IDENTITY_TYPE", "IDENTITY_ISSUER"} with input as object.remove(call, ["principal"])
		with data.packs as identity
}

test_identity_is_off_until_it_is_named if {
	count(sekisho.deny) == 0 with input as caller({"type": "service"}) with data.packs as {}
}
