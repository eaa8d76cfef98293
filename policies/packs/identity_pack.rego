# Who may call at all: the types of principals, and the issuers of their tokens.
package sekisho

import future.keywords.not

pack_settings["identity"] := {"types": "array", "issuers": "array"}

deny contains {
	"code": "IDENTITY_TYPE",
	"message": $"A caller of type {input.principal.type} may do nothing here.",
} if {
	data.packs.identity
	not input.principal.type in data.packs.identity.types
}

deny contains {
	"code": "IDENTITY_ISSUER",
	"message": "Tokens of this issuer are good for nothing here.",
} if {
	data.packs.identity
	not one_matches(input.principal.auth.issuer, data.packs.identity.issuers)
}
