package sekisho_test

import data.sekisho

tenants := {"tenants": {"arguments": {"files/*": "org"}, "of_groups": {"acme-devs": ["acme", "acme-lab"]}}}

about(args, groups) := object.union(
	object.remove(call, ["arguments"]),
	{"arguments": args, "principal": {"groups": groups}},
)

test_tenants_of_ones_own_are_fine if {
	count(sekisho.deny) == 0 with input as about({"org": "acme-lab"}, ["x", "acme-devs"]) with data.packs as tenants
}

test_tenants_of_others_are_not if {
	codes(sekisho.deny) == {"TENANT_FOREIGN"} with input as about({"org": "evil"}, ["acme-devs"]) with data.packs as tenants
	codes(sekisho.deny) == {"TENANT_FOREIGN"} with input as about({"org": "acme"}, ["others"]) with data.packs as tenants
}

test_a_tenant_that_is_not_said_is_none if {
	every args in [{}, {"org": null}, {"org": ["acme"]}, {"Org": "acme"}] {
		codes(sekisho.deny) == {"TENANT_FOREIGN"} with input as about(args, ["acme-devs"]) with data.packs as tenants
	}
}

test_tenants_are_not_asked_for_in_lists_and_of_other_tools if {
	count(sekisho.deny) == 0 with input as object.union(about({}, []), {"phase": "list"}) with data.packs as tenants
	count(sekisho.deny) == 0 with input as object.union(about({}, []), {"tool": {"ref": "x/y"}}) with data.packs as tenants
}
