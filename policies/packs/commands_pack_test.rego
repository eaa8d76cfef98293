package sekisho_test

import data.sekisho

commands := {"commands": {"allow": ["read", "build"], "ask": ["install"], "groups": ["owners"]}}

runs(class) := object.union(exec, {"facts": {"commands": [{"pointer": "/line", "class": class}]}})

exec := changed({"tool": {"action": "exec", "paths": []}, "facts": {"paths": []}})

test_commands_of_a_permitted_class_go if {
	count(sekisho.deny) + count(sekisho.approve) == 0 with input as runs("build") with data.packs as commands
}

test_commands_of_an_asking_class_ask if {
	count(sekisho.deny) == 0 with input as runs("install") with data.packs as commands
	some ask in sekisho.approve with input as runs("install") with data.packs as commands
	ask.code == "COMMAND_ASKS"
	ask.groups == ["owners"]
}

test_commands_of_any_other_class_do_not_go if {
	every class in ["destructive", "privileged", "unknown", "new"] {
		codes(sekisho.deny) == {"COMMAND_CLASS"} with input as runs(class) with data.packs as commands
	}
}

test_commands_that_nobody_found_do_not_go if {
	every found in [[], null] {
		unknown := object.union(exec, {"facts": {"commands": found}})
		codes(sekisho.deny) == {"COMMAND_UNKNOWN"} with input as unknown with data.packs as commands
	}
}

test_commands_are_not_missed_in_a_list if {
	listed := object.union(exec, {"phase": "list"})
	count(sekisho.deny) == 0 with input as listed with data.packs as commands
}
