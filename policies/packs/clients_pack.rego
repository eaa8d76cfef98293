# Old clients are refused: by the revision of MCP that they speak, and by what they say they are. A client can lie about that.
package sekisho

import future.keywords.not

pack_settings["clients"] := {"revisions": "array", "least": "object", "others": "boolean"}

deny contains {
	"code": "CLIENT_REVISION",
	"message": $"Clients that speak MCP {input.agent.revision} are not served any more.",
} if {
	data.packs.clients
	not input.agent.revision in data.packs.clients.revisions
}

deny contains {
	"code": "CLIENT_OLD",
	"message": "This client is too old, or not known here.",
} if {
	data.packs.clients
	not client_may
}

client_may if {
	least := data.packs.clients.least[input.agent.client.name]
	semver.compare(input.agent.client.version, least) >= 0
}

client_may if {
	data.packs.clients.others
	not input.agent.client.name in object.keys(data.packs.clients.least)
}
