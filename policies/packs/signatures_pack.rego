# Whose definitions count, by tier: verified, unsigned or none. A tier that is not named counts for nothing.
package sekisho

import future.keywords.not

pack_settings["signatures"] := {"tiers": "object"}

deny contains {
	"code": "SIGNATURE_STATUS",
	"message": $"The definitions of {input.server.id} are {input.server.signature.status}, which its tier does not allow.",
} if {
	data.packs.signatures
	not input.server.signature.status in data.packs.signatures.tiers[input.server.tier]
}

deny contains {
	"code": "DEFINITION_CHANGED",
	"message": "What the server serves is not what was approved.",
} if {
	data.packs.signatures
	input.server.metadata.changed
}
