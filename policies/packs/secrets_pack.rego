# Secrets that are about to be sent: masked, or the call is denied. What cannot be masked is denied.
package sekisho

import future.keywords.not

pack_settings["secrets"] := {"tiers": "array", "mask": "boolean"}

deny contains {
	"code": "SECRET_LEAVES",
	"message": $"{secret.part}{secret.pointer} holds a {secret.kind}, which may not be sent there.",
	"detail": {"part": secret.part, "pointer": secret.pointer, "kind": secret.kind},
} if {
	some secret in leaving_secrets
	not maskable(secret)
}

obligations contains {
	"id": "packs.secrets",
	"type": "redact",
	"properties": {"on": "arguments", "kinds": kinds},
} if {
	kinds := sort({secret.kind | some secret in leaving_secrets; maskable(secret)})
	count(kinds) > 0
}

leaving_secrets contains secret if {
	data.packs.secrets
	not input.server.tier in data.packs.secrets.tiers
	some secret in input.facts.secrets
}

# What is not read cannot be masked; what a person answered, and what stands beside a call, is sent as it is or not at all.
maskable(secret) if {
	data.packs.secrets.mask
	secret.part == "arguments"
	secret.kind != "unread"
	input.tool != null
}
