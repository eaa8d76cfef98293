package sekisho_test

import data.sekisho

egress := {"egress": {"hosts": ["api.example.com", ".corp.example"], "schemes": ["https"], "classes": ["name", "public"]}}

url(host, changes) := object.union(
	{"pointer": "/url", "scheme": "https", "host": host, "port": 443, "ip_class": "name"},
	changes,
)

leads(urls) := changed({"facts": {"urls": urls}})

test_egress_to_known_hosts_goes if {
	every host in ["api.example.com", "a.corp.example", "a.b.corp.example"] {
		count(sekisho.deny) == 0 with input as leads([url(host, {})]) with data.packs as egress
	}
}

test_egress_to_others_does_not if {
	every host in ["evil.example", "api.example.com.evil.example", "corp.example", "notcorp.example", "", null] {
		codes(sekisho.deny) == {"EGRESS_FORBIDDEN"} with input as leads([url(host, {})]) with data.packs as egress
	}
}

test_egress_by_another_scheme_or_to_another_class_does_not_go if {
	plain := url("api.example.com", {"scheme": "http"})
	codes(sekisho.deny) == {"EGRESS_FORBIDDEN"} with input as leads([plain]) with data.packs as egress
	metadata := url("api.example.com", {"ip_class": "special"})
	codes(sekisho.deny) == {"EGRESS_FORBIDDEN"} with input as leads([metadata]) with data.packs as egress
}

test_egress_needs_every_url_to_be_permitted if {
	both := [url("api.example.com", {}), url("evil.example", {})]
	codes(sekisho.deny) == {"EGRESS_FORBIDDEN"} with input as leads(both) with data.packs as egress
}

test_egress_to_nobody_knows_where_does_not_go if {
	every found in [[], null] {
		unknown := object.union(leads(found), {"tool": {"action": "egress"}, "facts": {"paths": []}})
		codes(sekisho.deny) == {"EGRESS_UNKNOWN"} with input as unknown with data.packs as egress
	}
}

test_egress_that_is_known_goes if {
	sends := object.union(leads([url("api.example.com", {})]), {"tool": {"action": "egress"}, "facts": {"paths": []}})
	count(sekisho.deny) == 0 with input as sends with data.packs as egress
}
