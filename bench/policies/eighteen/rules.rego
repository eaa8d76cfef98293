# Eighteen rules as a platform team writes them, with some six patterns, three globs and three templates a call
# (policy.md, section 1). Every one is looked at in each call of the benchmark, and none denies it.
package sekisho

import future.keywords.not

decision := {"grant": grant, "deny": deny, "approve": approve, "warn": warn, "obligations": []}

query := input.arguments.query

grant contains {"id": $"read-{input.server.tier}"} if {
	input.tool.action == "read"
	some pattern in {"run:*", "user:*"}
	glob.match(pattern, [], input.principal.id)
}

deny contains row("TIER", "this tier is closed") if not input.server.tier in {"internal", "partner"}

deny contains row("ACTION", $"{input.tool.action} is not for agents") if {
	input.tool.action in {"admin", "exec"}
}

deny contains row("TOOL", "this tool was taken out of use") if glob.match("*_deprecated", [], input.tool.name)

deny contains row("KEY", "the text holds an access key") if regex.match(`AKIA[0-9A-Z]{16}`, query)

deny contains row("TOKEN", "the text holds a token") if regex.match(`gh[pousr]_[A-Za-z0-9]{36}`, query)

deny contains row("PEM", "the text holds a private key") if regex.match(`-----BEGIN [A-Z ]*PRIVATE KEY`, query)

deny contains row("CARD", "the text holds a card number") if regex.match(`\b[0-9]{4}([ -]?[0-9]{4}){3}\b`, query)

deny contains row("ORDER", "the text gives orders") if regex.match(`(?i)ignore (all|any) previous`, query)

deny contains row("LONG", "the text is too long") if count(query) > 4000

deny contains row("PROJECT", "this project is not open to agents") if {
	not glob.match("acme/*", ["/"], input.arguments.project)
}

deny contains row("LABEL", $"{label} is for people") if {
	some label in input.arguments.labels
	startswith(label, "internal-")
}

deny contains row("LIMIT", "too many at once") if input.arguments.limit > 100

deny contains row("STATE", "no such state") if not input.arguments.state in {"open", "closed", "all"}

deny contains row("SINCE", "no such day") if not regex.match(`^20[0-9]{2}-[01][0-9]-[0-3][0-9]T`, input.arguments.since)

approve contains {
	"code": "COMMENTS",
	"message": "comments of private projects are for people",
	"groups": [],
	"min": 1,
	"ttl_s": 900,
	"scope": "call",
	"not_requester": false,
	"form": null,
} if {
	input.arguments.include_comments == true
	startswith(input.arguments.project, "private/")
}

warn contains row("WIDE", "all fields of an issue are asked for") if count(input.arguments.fields) > 20

warn contains row("SORT", "sorted by what nobody keeps an index of") if {
	not input.arguments.sort in {"created", "updated"}
}

row(code, message) := {"code": code, "message": message}
