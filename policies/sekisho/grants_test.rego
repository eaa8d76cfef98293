package sekisho_test

import data.sekisho

test_a_run_may_read if {
	ids(sekisho.grant) == {"development-reads"} with data.packs as {} with input as call
}

test_a_developer_may_read if {
	caller := {"principal": {"id": "okta:ann", "groups": ["developers"]}}
	ids(sekisho.grant) == {"development-reads"} with data.packs as {} with input as changed(caller)
}

test_a_stranger_may_not if {
	caller := {"principal": {"id": "okta:bob", "groups": ["sales"]}}
	count(sekisho.grant) == 0 with data.packs as {} with input as changed(caller)
}

test_someone_unknown_may_not if {
	caller := {"principal": {"type": "anonymous", "id": null}}
	count(sekisho.grant) == 0 with data.packs as {} with input as changed(caller)
}

test_a_run_may_write_on_an_internal_server if {
	ids(sekisho.grant) == {"development-writes"} with data.packs as {} with input as write
}

test_a_run_may_not_write_on_a_public_server if {
	count(sekisho.grant) == 0 with data.packs as {} with input as object.union(write, {"server": {"tier": "public"}})
}

test_a_role_can_be_granted_one_tool_on_one_server if {
	row := {
		"principals": [],
		"groups": [],
		"roles": ["writer"],
		"tiers": ["internal"],
		"servers": ["files"],
		"tools": ["files/write_*"],
		"actions": ["write"],
	}
	writer := object.union(write, {"principal": {"id": "ann", "roles": ["writer"]}})
	ids(sekisho.grant) == {"one"} with data.packs as {} with input as writer with data.grants as {"one": row}

	elsewhere := object.union(writer, {"server": {"id": "tickets"}})
	count(sekisho.grant) == 0 with data.packs as {} with input as elsewhere with data.grants as {"one": row}

	other := object.union(writer, {"tool": {"ref": "files/edit_file"}})
	count(sekisho.grant) == 0 with data.packs as {} with input as other with data.grants as {"one": row}

	resource := object.union(writer, {"phase": "read", "tool": null})
	count(sekisho.grant) == 0 with data.packs as {} with input as resource with data.grants as {"one": object.union(row, {"actions": ["read"]})}
}

test_a_row_that_lacks_a_column_grants_nothing if {
	every column in ["principals", "tiers", "servers", "tools", "actions"] {
		row := object.remove(data.grants["development-reads"], [column])
		count(sekisho.grant) == 0 with data.packs as {} with input as call with data.grants as {"one": row}
	}
}

test_a_run_may_read_resources_prompts_and_completions if {
	every phase in ["list", "read", "prompt", "complete", "elicit", "sample"] {
		ids(sekisho.grant) == {"development-reads"} with data.packs as {} with input as changed({"phase": phase, "tool": null})
	}
}

test_a_call_of_no_tool_is_granted_nothing if {
	count(sekisho.grant) == 0 with data.packs as {} with input as changed({"tool": null})
}
