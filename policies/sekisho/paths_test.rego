package sekisho_test

import data.sekisho

at(path) := object.union(write, {"facts": {"paths": [path]}})

test_writing_inside_the_workspace_is_fine if {
	count(sekisho.deny) == 0 with data.packs as {} with input as write
}

test_writing_where_there_is_no_root_is_denied if {
	path := {"pointer": "/path", "canonical": "/etc/passwd", "root": null, "escapes": true}
	sekisho.deny == {{
		"code": "PATH_OUTSIDE_ROOT",
		"message": "/path is /etc/passwd, which is outside of what this call may write.",
		"detail": path,
	}} with data.packs as {} with input as at(path)
}

test_escaping_from_a_root_is_denied if {
	path := {"pointer": "/path", "canonical": "/etc/passwd", "root": "workspace", "escapes": true}
	codes(sekisho.deny) == {"PATH_OUTSIDE_ROOT"} with data.packs as {} with input as at(path)
}

test_a_root_nobody_declared_is_denied if {
	path := {"pointer": "/path", "canonical": "/srv/x", "root": "elsewhere", "escapes": false}
	codes(sekisho.deny) == {"PATH_OUTSIDE_ROOT"} with data.packs as {} with input as at(path)
}

test_a_path_that_could_not_be_resolved_is_denied if {
	path := {"pointer": "/path", "canonical": null, "root": null, "escapes": null}
	codes(sekisho.deny) == {"PATH_OUTSIDE_ROOT"} with data.packs as {} with input as at(path)
}

test_every_path_must_be_inside if {
	inside := call.facts.paths[0]
	outside := {"pointer": "/to", "canonical": "/etc/passwd", "root": null, "escapes": true}
	both := object.union(write, {"facts": {"paths": [inside, outside]}})
	{one.detail.pointer | some one in sekisho.deny} == {"/to"} with data.packs as {} with input as both
}

test_reading_outside_is_denied_too if {
	path := {"pointer": "/path", "canonical": "/etc/passwd", "root": null, "escapes": true}
	codes(sekisho.deny) == {"PATH_OUTSIDE_ROOT"} with data.packs as {} with input as changed({"facts": {"paths": [path]}})
}

test_a_root_permits_only_its_actions if {
	archive := {"workspace": {"actions": ["read"]}}
	codes(sekisho.deny) == {"PATH_OUTSIDE_ROOT"} with data.packs as {} with input as write with data.roots as archive
	count(sekisho.deny) == 0 with data.packs as {} with input as call with data.roots as archive
}

test_a_write_whose_path_was_not_found_is_denied if {
	codes(sekisho.deny) == {"PATH_UNKNOWN"} with data.packs as {} with input as object.union(write, {"facts": {"paths": []}})
}

test_half_of_the_paths_is_not_enough if {
	move := object.union(write, {"tool": {"paths": ["/path", "/destination"]}})
	codes(sekisho.deny) == {"PATH_UNKNOWN"} with data.packs as {} with input as move
}

test_a_list_of_paths_is_found_by_its_members if {
	member := object.union(call.facts.paths[0], {"pointer": "/paths/0"})
	every pointer in ["/paths", "/paths/*"] {
		many := object.union(at(member), {"tool": {"paths": [pointer]}})
		count(sekisho.deny) == 0 with data.packs as {} with input as many
	}
	alike := object.union(at(object.union(member, {"pointer": "/paths2"})), {"tool": {"paths": ["/paths"]}})
	codes(sekisho.deny) == {"PATH_UNKNOWN"} with data.packs as {} with input as alike
}

test_a_listed_tool_has_no_path_yet if {
	listed := object.union(write, {"phase": "list", "arguments": {}, "facts": {"paths": []}})
	count(sekisho.deny) == 0 with data.packs as {} with input as listed
}
