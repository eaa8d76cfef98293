# What kinds of content may come back, by type and media type; a star at the end stands for any ending.
package sekisho

import future.keywords.not

pack_settings["answer_types"] := {"tiers": "array", "allow": "array"}

deny contains {
	"code": "ANSWER_TYPE",
	"message": $"Content of type {type} may not come from there.",
} if {
	pack := data.packs.answer_types
	input.server.tier in pack.tiers
	some type in input.result.types
	not one_matches(type, pack.allow)
}
