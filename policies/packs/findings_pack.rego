# What stands in answers and should not: orders for the model, attempts to draw out its prompt, links that carry data out. Such
# a finding is a guess; begin with `warn`, and see in the decision log what would be withheld.
package sekisho

pack_settings["findings"] := {"tiers": "array", "deny": "array", "warn": "array"}

deny contains {
	"code": "ANSWER_FINDING",
	"message": $"The answer is withheld: {finding.pointer} looks like {finding.kind}.",
	"detail": finding,
} if {
	input.server.tier in data.packs.findings.tiers
	some finding in input.result.findings
	finding.kind in data.packs.findings.deny
}

warn contains {
	"code": $"ANSWER_{upper(finding.kind)}",
	"message": $"The answer has something at {finding.pointer} that looks like {finding.kind}.",
} if {
	input.server.tier in data.packs.findings.tiers
	some finding in input.result.findings
	finding.kind in data.packs.findings.warn
}
