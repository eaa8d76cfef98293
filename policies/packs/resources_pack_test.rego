package sekisho_test

import data.sekisho

resources := {"resources": {"schemes": ["docs"], "beginnings": ["file:///srv/public/"]}}

reads(listed, asked) := changed({
	"phase": "read",
	"tool": null,
	"resource": {"uri": listed, "scheme": "x"},
	"arguments": {"uri": asked},
	"facts": {"paths": []},
})

test_resources_of_a_scheme_and_of_a_beginning_are_read if {
	every uri in ["docs:a", "docs://b/c", "file:///srv/public/a"] {
		count(sekisho.deny) == 0 with input as reads(uri, uri) with data.packs as resources
	}
}

test_other_resources_are_not if {
	every uri in ["file:///etc/passwd", "file:///srv/publicity", "docsx:a", "x"] {
		codes(sekisho.deny) == {"RESOURCE_FORBIDDEN"} with input as reads(uri, uri) with data.packs as resources
	}
}

test_nothing_climbs_out_of_a_beginning if {
	every uri in ["file:///srv/public/../x", "file:///srv/public/%2E%2e/x", "file:///srv/public/%252e/x", "file:///srv/public/\\x"] {
		codes(sekisho.deny) == {"RESOURCE_FORBIDDEN"} with input as reads(uri, uri) with data.packs as resources
	}
}

test_what_a_template_is_read_at_counts_too if {
	listed := "file:///srv/public/{name}"
	count(sekisho.deny) == 0 with input as reads(listed, "file:///srv/public/a") with data.packs as resources
	codes(sekisho.deny) == {"RESOURCE_FORBIDDEN"} with input as reads(listed, "file:///srv/private/a") with data.packs as resources
}

test_tools_are_no_resources if {
	count(sekisho.deny) == 0 with input as call with data.packs as resources
}
