# The one question the gateway asks. Every file in this folder adds to one of these five sets.
# The gateway then weighs them, and no rule can change how: a deny beats an ask, an ask beats a grant,
# and where nothing grants the answer is no.
package sekisho

decision := {
	"grant": grant,
	"deny": deny,
	"approve": approve,
	"warn": warn,
	"obligations": obligations,
}
