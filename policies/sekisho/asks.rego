# When a person must agree first: data.ask, by the tier of the server.
package sekisho

approve contains {
	"code": "RISKY_CALL",
	"groups": ask.groups,
	"min": 1,
	"ttl_s": 900,
	"scope": "call",
	"not_requester": ask.not_requester,
	"form": null,
} if {
	ask := data.ask[input.server.tier]
	asks(ask)
	not approved
}

asks(ask) if input.tool.risk in ask.risks

asks(ask) if action in ask.actions

# The gateway shows an approval only if it is valid and bound to exactly this call.
approved if input.approval.code == "RISKY_CALL"
