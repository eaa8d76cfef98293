# Protected branches: whoever changes one needs somebody of these groups to agree. A branch that is not said may be any of them.
package sekisho

import future.keywords.not

pack_settings["branches"] := {"protected": "array", "actions": "array", "groups": "array"}

approve contains {
	"code": "PROTECTED_BRANCH",
	"message": $"{fact.pointer} is a protected branch, or does not say which: a person must agree first.",
	"groups": data.packs.branches.groups,
	"not_requester": true,
} if {
	action in data.packs.branches.actions
	some fact in input.facts.branches
	maybe_protected(fact.branch)
}

maybe_protected(branch) if branch == null

maybe_protected(branch) if {
	some pattern in data.packs.branches.protected
	matches(lower(branch), lower(pattern))
}
