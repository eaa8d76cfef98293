# What must be done with a call that is allowed: data.obligations, by the tier of the server.
package sekisho

obligations contains obligation if {
	some obligation in data.obligations[input.server.tier]
}
