# What the packs of the catalogue share. A pack counts only where data.packs names it, with its settings.
package sekisho

import future.keywords.not

# Each pack says which settings it has, and of what type.
pack_settings["none"] := {}

# One that has others would hold by half, and nobody would notice: so nothing passes.
deny contains {
	"code": "PACK_SETTINGS",
	"message": $"The settings of the pack {name} are not those that it has.",
} if {
	some name in strange_settings
}

strange_settings contains name if {
	some name, wanted in pack_settings
	object.keys(data.packs[name]) != object.keys(wanted)
}

strange_settings contains name if {
	some name, _ in pack_settings
	given := data.packs[name]
	type_name(given) != "object"
}

strange_settings contains name if {
	some name, wanted in pack_settings
	given := data.packs[name]
	some key, type in wanted
	not is_of_type(given[key], type)
}

is_of_type(value, type) if type_name(value) == type

is_of_type(value, "objects") if {
	is_object(value)
	every one in value {
		is_object(one)
	}
}

one_matches(name, patterns) if {
	some pattern in patterns
	matches(name, pattern)
}
