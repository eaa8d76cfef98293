# Files that hold keys and passwords stay closed, also inside of a root that permits the action.
package sekisho

pack_settings["sensitive_files"] := {"names": "array", "folders": "array", "actions": "array"}

deny contains {
	"code": "SENSITIVE_FILE",
	"message": $"{path.pointer} is a file that may hold secrets.",
	"detail": {"pointer": path.pointer},
} if {
	pack := data.packs.sensitive_files
	action in pack.actions
	some path in input.facts.paths
	sensitive(split(lower(path.canonical), "/"), pack)
}

sensitive(parts, pack) if {
	some name in pack.names
	matches(parts[count(parts) - 1], lower(name))
}

sensitive(parts, pack) if {
	some folder in pack.folders
	lower(folder) in parts
}
