# What of a person stands in answers is hidden from whoever is not cleared for it.
package sekisho

import future.keywords.not

pack_settings["personal_data"] := {"kinds": "array", "pointers": "array", "cleared": "array"}

obligations contains {
	"id": "packs.personal_data",
	"type": "redact",
	"properties": {"on": "result", "kinds": pack.kinds, "pointers": pack.pointers},
} if {
	pack := data.packs.personal_data
	not cleared_for_people
}

cleared_for_people if {
	some group in input.principal.groups
	group in data.packs.personal_data.cleared
}
