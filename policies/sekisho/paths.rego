# Every path a call names must lie in a root that permits the action: data.roots. The gateway resolves the paths
# (links, "..", encodings) before it asks; a path it could not resolve has no root.
package sekisho

import future.keywords.not

deny contains {
	"code": "PATH_OUTSIDE_ROOT",
	"message": $"{path.pointer} is {path.canonical}, which is outside of what this call may {action}.",
	"detail": path,
} if {
	action in actions
	some path in input.facts.paths
	not inside(path)
}

inside(path) if {
	path.escapes == false
	action in data.roots[path.root].actions
}

# What is written must be known: an argument that should hold a path and was not understood is refused.
deny contains {
	"code": "PATH_UNKNOWN",
	"message": $"{pointer} should say which path to {action}, and no path was found there.",
	"detail": {"pointer": pointer},
} if {
	input.phase == "call"
	action in {"write", "delete"}
	some pointer in input.tool.paths
	not found(pointer)
}

found(pointer) if {
	some path in input.facts.paths
	path.pointer == pointer
}

# "/paths/*" and "/paths" are both found by "/paths/0".
found(pointer) if {
	some path in input.facts.paths
	startswith(path.pointer, $"{trim_suffix(pointer, "/*")}/")
}
