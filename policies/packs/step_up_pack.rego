# Scopes that a person must have signed in for, by the action of the tool. Where a scope is missing, the client is told which.
package sekisho

pack_settings["step_up"] := {"scopes": "object"}

obligations contains {
	"id": "packs.step_up",
	"type": "step_up",
	"properties": {"scope": scope},
} if {
	input.principal.type == "user"
	input.phase != "list"
	scope := data.packs.step_up.scopes[action]
}
