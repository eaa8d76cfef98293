package sekisho_test

import data.sekisho

clients := {"clients": {"revisions": ["2025-11-25", "2026-07-28"], "least": {"claude-code": "2.1.0"}, "others": false}}

from(name, version, revision) := changed({"agent": {"client": {"name": name, "version": version}, "revision": revision}})

lenient := {"clients": object.union(clients.clients, {"others": true})}

test_clients_that_are_new_enough_pass if {
	every version in ["2.1.0", "2.1.1", "10.0.0"] {
		count(sekisho.deny) == 0 with input as from("claude-code", version, "2025-11-25") with data.packs as clients
	}
}

test_clients_that_are_too_old_do_not if {
	every version in ["2.0.9", "2.1.0-rc.1", "latest", ""] {
		codes(sekisho.deny) == {"CLIENT_OLD"} with input as from("claude-code", version, "2025-11-25") with data.packs as lenient
	}
}

test_clients_of_an_old_revision_do_not if {
	codes(sekisho.deny) == {"CLIENT_REVISION"} with input as from("claude-code", "2.1.0", "2025-03-26") with data.packs as clients
}

test_clients_that_are_not_known_pass_where_that_is_said if {
	codes(sekisho.deny) == {"CLIENT_OLD"} with input as from("x", "1", "2025-11-25") with data.packs as clients
	count(sekisho.deny) == 0 with input as from("x", "1", "2025-11-25") with data.packs as lenient
}
