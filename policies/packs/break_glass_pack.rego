# In an emergency some people may do more, once another one agreed, and all of it is kept in the decision log.
package sekisho

pack_settings["break_glass"] := {
	"groups": "array",
	"actions": "array",
	"approvers": "array",
	"ttl_s": "number",
}

grant contains {"id": "break-glass"} if glass_broken

approve contains {
	"code": "BREAK_GLASS",
	"message": $"{input.principal.id} breaks the glass to {action} on {input.server.id}: somebody else must agree.",
	"groups": data.packs.break_glass.approvers,
	"ttl_s": data.packs.break_glass.ttl_s,
	"not_requester": true,
} if {
	glass_broken
}

obligations contains {
	"id": "packs.break_glass",
	"type": "log",
	"properties": {"level": "full"},
} if {
	glass_broken
	input.phase != "list"
}

glass_broken if {
	pack := data.packs.break_glass
	action in pack.actions
	some group in input.principal.groups
	group in pack.groups
}
