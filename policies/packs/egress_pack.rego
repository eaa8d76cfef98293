# Where URLs in arguments may lead. A host that begins with a dot stands for all hosts below it.
package sekisho

import future.keywords.not

pack_settings["egress"] := {"hosts": "array", "schemes": "array", "classes": "array"}

deny contains {
	"code": "EGRESS_FORBIDDEN",
	"message": $"{url.pointer} leads where nothing may be sent.",
	"detail": url,
} if {
	data.packs.egress
	some url in input.facts.urls
	not egress_may(url, data.packs.egress)
}

egress_may(url, pack) if {
	url.scheme in pack.schemes
	url.ip_class in pack.classes
	some host in pack.hosts
	host_matches(url.host, host)
}

host_matches(host, wanted) if host == wanted

host_matches(host, wanted) if {
	startswith(wanted, ".")
	endswith(host, wanted)
}

# A tool that sends something out, and nobody knows where to.
deny contains {
	"code": "EGRESS_UNKNOWN",
	"message": "It should say where to send, and no URL was found.",
} if {
	data.packs.egress
	input.phase == "call"
	action == "egress"
	not url_found
}

url_found if count(input.facts.urls) > 0
