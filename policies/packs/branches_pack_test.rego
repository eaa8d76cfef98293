package sekisho_test

import data.sekisho
import future.keywords.not

branches := {"branches": {"protected": ["main", "Release/*"], "actions": ["write", "exec"], "groups": ["owners"]}}

to_branch(what, names) := object.union(what, {"facts": {"branches": [{"pointer": "/branch", "branch": name} | some name in names]}})

test_branches_that_are_protected_need_somebody if {
	every name in ["main", "MAIN", "release/1.2", null] {
		some ask in sekisho.approve with input as to_branch(write, ["topic", name]) with data.packs as branches
		ask.code == "PROTECTED_BRANCH"
		ask.groups == ["owners"]
	}
}

test_branches_that_are_not_do_not if {
	every name in ["topic", "maintenance", "main2", "releases"] {
		count(sekisho.approve) == 0 with input as to_branch(write, [name]) with data.packs as branches
	}
}

test_branches_may_be_read if {
	count(sekisho.approve) == 0 with input as to_branch(call, ["main"]) with data.packs as branches
}

test_branches_that_nobody_looked_for_are_no_matter if {
	every found in [[], null] {
		none := object.union(write, {"facts": {"branches": found}})
		count(sekisho.approve) == 0 with input as none with data.packs as branches
	}
}
