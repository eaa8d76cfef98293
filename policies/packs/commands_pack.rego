# Commands by their class: what is in neither list is denied. A class is a guess at what is meant, so permit what is known.
package sekisho

import future.keywords.not

pack_settings["commands"] := {"allow": "array", "ask": "array", "groups": "array"}

deny contains {
	"code": "COMMAND_CLASS",
	"message": $"{command.pointer} is a command of class {command.class}, which may not be run.",
	"detail": {"pointer": command.pointer, "class": command.class},
} if {
	pack := data.packs.commands
	some command in input.facts.commands
	not command.class in pack.allow
	not command.class in pack.ask
}

approve contains {
	"code": "COMMAND_ASKS",
	"message": $"{command.pointer} is a command of class {command.class}: a person must agree first.",
	"groups": pack.groups,
} if {
	pack := data.packs.commands
	some command in input.facts.commands
	command.class in pack.ask
	not command.class in pack.allow
}

# Something is executed, and nobody knows what: the configuration does not say where the command stands, or it is not there.
deny contains {
	"code": "COMMAND_UNKNOWN",
	"message": "It should say which command to run, and none was found.",
} if {
	data.packs.commands
	input.phase == "call"
	action == "exec"
	not command_found
}

command_found if count(input.facts.commands) > 0
