package sekisho_test

import data.sekisho

sensitive_files := {"sensitive_files": {"names": [".env", ".env.*", "id_*"], "folders": [".ssh", ".Git"], "actions": ["read", "write"]}}

file(canonical) := changed({"facts": {"paths": [{"pointer": "/path", "canonical": canonical, "root": "workspace", "escapes": false}]}})

test_sensitive_files_are_denied_by_name_and_by_folder if {
	every path in ["/w/.env", "/w/.ENV", "/w/.env.local", "/w/a/id_rsa", "/w/.ssh/config", "/w/.git/config", "/w/.GIT/x"] {
		codes(sekisho.deny) == {"SENSITIVE_FILE"} with input as file(path) with data.packs as sensitive_files
	}
}

test_other_files_are_not if {
	every path in ["/w/env", "/w/.envoy/x", "/w/readme.git", "/w/ids"] {
		count(sekisho.deny) == 0 with input as file(path) with data.packs as sensitive_files
	}
}

test_sensitive_files_may_be_left_open_to_an_action if {
	open := {"sensitive_files": object.union(sensitive_files.sensitive_files, {"actions": ["write"]})}
	count(sekisho.deny) == 0 with input as file("/w/.env") with data.packs as open
}
