# Whose data a call is about must be the caller's own: an argument names the tenant, the caller's groups say which are theirs.
package sekisho

import future.keywords.not

pack_settings["tenants"] := {"arguments": "object", "of_groups": "object"}

deny contains {
	"code": "TENANT_FOREIGN",
	"message": $"{input.tool.ref} is about a tenant that is not yours, or does not say which: see {name}.",
	"detail": {"pointer": $"/{name}"},
} if {
	input.phase == "call"
	some pattern, name in data.packs.tenants.arguments
	matches(input.tool.ref, pattern)
	not own_tenant(name)
}

own_tenant(name) if {
	some group in input.principal.groups
	input.arguments[name] in data.packs.tenants.of_groups[group]
}
