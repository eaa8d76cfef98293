# Arguments that are held down, and arguments that are always so, by tool. The server gets what the policy made of them.
package sekisho

import future.keywords.not

pack_settings["clamps"] := {"at_most": "objects", "always": "objects"}

obligations contains {
	"id": "packs.clamps",
	"type": "patch_arguments",
	"properties": {"ops": ops},
} if {
	input.phase == "call"
	ops := array.concat(clamped, fixed)
	count(ops) > 0
}

clamped := [op |
	some name, most in data.packs.clamps.at_most[input.tool.ref]
	not at_most(name, most)
	op := {"op": "add", "path": argument_at(name), "value": most}
]

# One that is not there is up to the server, and so it is given.
at_most(name, most) if {
	is_number(input.arguments[name])
	input.arguments[name] <= most
}

fixed := [op |
	some name, value in data.packs.clamps.always[input.tool.ref]
	not input.arguments[name] == value
	op := {"op": "add", "path": argument_at(name), "value": value}
]

argument_at(name) := $"/{replace(replace(name, "~", "~0"), "/", "~1")}"
