# What a call does. The configuration says it of each tool; a server's own claims never count.
package sekisho

import future.keywords.not

actions := {"read", "write", "delete", "exec", "egress", "admin"}

action := input.tool.action

# Resources, prompts and completions are no tools: asking for one is a read, and so is what a server asks about it.
action := "read" if {
	input.tool == null
	input.phase in {"list", "read", "prompt", "complete", "elicit", "sample"}
}

deny contains {
	"code": "TOOL_UNCLASSIFIED",
	"message": $"Nobody has said yet what {input.tool.ref} does: give it an action in the configuration.",
} if {
	input.tool != null
	not action in actions
}
