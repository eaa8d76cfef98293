# A run that comes near to the end of its budget: first it is noted, then only reading goes on, so that it can come to an end.
package sekisho

import future.keywords.not

pack_settings["budget"] := {"warn_at": "number", "read_only_at": "number"}

warn contains {
	"code": "BUDGET_LOW",
	"message": $"Of its {name} this run has used {spent.used} of {spent.limit}.",
} if {
	some name, spent in input.run.budget
	spent.used >= data.packs.budget.warn_at * spent.limit
}

deny contains {
	"code": "BUDGET_ENDS",
	"message": $"This run has used {spent.used} of {spent.limit} {name}: it may only read on.",
} if {
	some name, spent in input.run.budget
	spent.used >= data.packs.budget.read_only_at * spent.limit

	# What was allowed has happened: its answer is not withheld for it.
	input.phase != "result"
	not action == "read"
}
