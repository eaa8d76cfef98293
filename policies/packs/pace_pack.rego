# How often one run may call one tool in a minute, by the tool's action: what goes round in circles is stopped.
package sekisho

pack_settings["pace"] := {"per_min": "object"}

obligations contains {
	"id": "packs.pace",
	"type": "rate_limit",
	"properties": {"key": "run+tool", "per_min": per_min},
} if {
	per_min := data.packs.pace.per_min[action]
}
