package sekisho_test

import data.sekisho

clamps := {"clamps": {
	"at_most": {"files/read_text_file": {"head": 50}},
	"always": {"files/write_file": {"dry_run": true, "a/b": 1}},
}}

with_arguments(what, args) := object.union(object.remove(what, ["arguments"]), {"arguments": args})

ops(found) := {op | some one in found; some op in one.properties.ops}

test_clamps_hold_a_number_down if {
	every args in [{"head": 51}, {}, {"head": null}, {"head": "9"}] {
		ops(sekisho.obligations) == {{"op": "add", "path": "/head", "value": 50}} with input as with_arguments(call, args)
			with data.packs as clamps
	}
}

test_clamps_leave_what_is_within_them if {
	every args in [{"head": 50}, {"head": -1}] {
		count(sekisho.obligations) == 0 with input as with_arguments(call, args) with data.packs as clamps
	}
}

test_clamps_set_what_is_always_so if {
	ops(sekisho.obligations) == {{"op": "add", "path": "/dry_run", "value": true}} with input as with_arguments(
		write,
		{"dry_run": false, "a/b": 1},
	)
		with data.packs as clamps
	ops(sekisho.obligations) == {{"op": "add", "path": "/a~1b", "value": 1}} with input as with_arguments(
		write,
		{"dry_run": true},
	)
		with data.packs as clamps
}

test_clamps_are_not_for_lists_and_other_tools if {
	count(sekisho.obligations) == 0 with input as object.union(call, {"phase": "list"}) with data.packs as clamps
	other := object.union(call, {"tool": {"ref": "files/other"}})
	count(sekisho.obligations) == 0 with input as other with data.packs as clamps
}
