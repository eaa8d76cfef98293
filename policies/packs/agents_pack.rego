# What an agent may do at most, whoever it acts for. An agent that is not named may do what "(none)" may.
package sekisho

import future.keywords.not

pack_settings["agents"] := {"at_most": "objects"}

deny contains {
	"code": "AGENT_BEYOND",
	"message": $"The agent {input.agent.id} may not {action} on {input.server.id}, whoever it acts for.",
} if {
	data.packs.agents
	not agent_may
}

agent_may if {
	row := data.packs.agents.at_most[agent_name]
	action in row.actions
	one_matches(input.server.id, row.servers)
}

agent_name := input.agent.id if input.agent.id != null

agent_name := "(none)" if input.agent.id == null
