# Untrusted content and private data in one run: then nothing leads out any more, or a person agrees first. A model that has read
# both can be talked into sending the one where the other says.
package sekisho

import future.keywords.not

pack_settings["trifecta"] := {
	"untrusted": "array",
	"private": "array",
	"outgoing_actions": "array",
	"outgoing_tiers": "array",
	"ask": "boolean",
	"groups": "array",
}

obligations contains {
	"id": "packs.trifecta.untrusted",
	"type": "taint",
	"properties": {"add": [input.server.tier]},
} if {
	input.phase != "list"
	input.server.tier in data.packs.trifecta.untrusted
}

obligations contains {
	"id": "packs.trifecta.private",
	"type": "taint",
	"properties": {"sensitivity": ["private"]},
} if {
	input.phase != "list"
	one_matches(input.server.id, data.packs.trifecta.private)
}

deny contains {
	"code": "TRIFECTA",
	"message": "This run has read untrusted content and private data: nothing may lead out of it any more.",
} if {
	leads_out_of_trifecta
	not data.packs.trifecta.ask
}

approve contains {
	"code": "TRIFECTA",
	"message": "This run has read untrusted content and private data, and this call leads out: a person must agree first.",
	"groups": data.packs.trifecta.groups,
	"not_requester": true,
} if {
	leads_out_of_trifecta
	data.packs.trifecta.ask
}

leads_out_of_trifecta if {
	# What was allowed has happened: its answer is not withheld for it.
	input.phase != "result"
	some tier in input.run.taint
	tier in data.packs.trifecta.untrusted
	"private" in input.run.sensitivity
	leads_out
}

leads_out if action in data.packs.trifecta.outgoing_actions

# What a caller asks a server is sent to that server, also where it only reads.
leads_out if input.server.tier in data.packs.trifecta.outgoing_tiers
