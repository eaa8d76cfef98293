# How far a server is trusted bounds what its tools may do, whatever the grants say: data.tiers.
package sekisho

import future.keywords.not

deny contains {
	"code": "SERVER_QUARANTINED",
	"message": $"The server {input.server.id} is in quarantine: it may not be used until someone has reviewed it.",
} if {
	input.server.tier == "quarantined"
}

deny contains {
	"code": "TIER_ACTION",
	"message": $"A server of tier {input.server.tier} may not {action}.",
	"detail": {"tier": input.server.tier, "action": action},
} if {
	input.server.tier != "quarantined"
	action in actions
	not action in data.tiers[input.server.tier].actions
}

warn contains {
	"code": "DEFINITIONS_UNSIGNED",
	"message": $"The tools of {input.server.id} are not signed by who runs it.",
} if {
	input.server.tier in {"partner", "public"}
	input.server.signature.status != "verified"
}
