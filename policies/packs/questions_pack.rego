# What servers may ask of callers in the middle of a call: no secrets by form, pages of known hosts only, models by tier.
package sekisho

import future.keywords.not

pack_settings["questions"] := {"hosts": "array", "sampling_tiers": "array"}

deny contains {
	"code": "SECRET_BY_FORM",
	"message": "No form may ask a person for a password, a key or the like.",
} if {
	data.packs.questions
	input.elicitation.asks_secret
}

deny contains {
	"code": "PAGE_FORBIDDEN",
	"message": "The server may not send anybody to this page.",
	"detail": {"host": input.elicitation.host},
} if {
	data.packs.questions
	input.phase == "elicit"
	input.elicitation.mode != "form"
	not page_may
}

page_may if {
	input.elicitation.mode == "url"
	input.elicitation.scheme == "https"
	some host in data.packs.questions.hosts
	page_matches(input.elicitation.host, host)
}

# A host that begins with a dot stands for all hosts below it.
page_matches(host, wanted) if host == wanted

page_matches(host, wanted) if {
	startswith(wanted, ".")
	endswith(host, wanted)
}

deny contains {
	"code": "SAMPLING_FORBIDDEN",
	"message": $"A server of tier {input.server.tier} may not use the model of its caller.",
} if {
	data.packs.questions
	input.phase == "sample"
	not input.server.tier in data.packs.questions.sampling_tiers
}

# What else was said to the model is not this server's to see.
deny contains {
	"code": "SAMPLING_CONTEXT",
	"message": "The server may not see what other servers said.",
} if {
	data.packs.questions
	input.phase == "sample"
	not input.sampling.include_context in {"none", "thisServer"}
}
