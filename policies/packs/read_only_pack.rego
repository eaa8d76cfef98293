# Nothing is changed while the switch is on, or during a freeze. A freeze whose times cannot be read holds.
package sekisho

import future.keywords.not

pack_settings["read_only"] := {"on": "boolean", "freezes": "array"}

deny contains {
	"code": "READ_ONLY",
	"message": "Nothing may be changed at the moment.",
} if {
	# What was allowed has happened: its answer is not withheld for it.
	input.phase != "result"
	frozen
	not action == "read"
}

frozen if data.packs.read_only.on == true

frozen if {
	some freeze in data.packs.read_only.freezes
	not outside_of(freeze)
}

outside_of(freeze) if input.time.unix_ms * 1000000 < time.parse_rfc3339_ns(freeze.from)

outside_of(freeze) if input.time.unix_ms * 1000000 >= time.parse_rfc3339_ns(freeze.until)
