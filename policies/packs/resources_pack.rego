# Which resources may be read: by scheme, and by how their URIs begin. What climbs out of a beginning is refused.
package sekisho

import future.keywords.not

pack_settings["resources"] := {"schemes": "array", "beginnings": "array"}

deny contains {
	"code": "RESOURCE_FORBIDDEN",
	"message": "This resource may not be read.",
} if {
	data.packs.resources
	input.resource != null
	some uri in resource_uris
	not resource_may(uri)
}

# What is listed, and what a read names: a template is read at a URI of its own.
resource_uris contains input.resource.uri

resource_uris contains input.arguments.uri if input.phase == "read"

resource_may(uri) if split(uri, ":")[0] in data.packs.resources.schemes

resource_may(uri) if {
	some beginning in data.packs.resources.beginnings
	startswith(uri, beginning)
	not climbs(uri)
}

climbs(uri) if {
	some step in ["..", "%2e", "%25", "\\", "%5c"]
	contains(lower(uri), step)
}
