# When a person must agree first: data.ask, by the tier of the server. The gateway keeps the question, and lets exactly
# this call through, once, when someone has agreed.
package sekisho

approve contains {
	"code": "RISKY_CALL",
	"message": $"{input.tool.ref} wants to {action} on a server of tier {input.server.tier}: a person must agree first.",
	"groups": ask.groups,
	"min": 1,
	"ttl_s": 900,
	"scope": "call",
	"not_requester": ask.not_requester,
	"form": null,
} if {
	ask := data.ask[input.server.tier]
	asks(ask)
}

asks(ask) if input.tool.risk in ask.risks

asks(ask) if action in ask.actions
