# Separation of duties: by risk, somebody of these groups must agree, and never who asks.
package sekisho

pack_settings["duties"] := {"risks": "array", "groups": "array", "ttl_s": "number"}

approve contains {
	"code": "SECOND_PERSON",
	"message": $"{input.tool.ref} is of risk {input.tool.risk}: a second person must agree first.",
	"groups": data.packs.duties.groups,
	"ttl_s": data.packs.duties.ttl_s,
	"not_requester": true,
} if {
	input.tool.risk in data.packs.duties.risks
}
