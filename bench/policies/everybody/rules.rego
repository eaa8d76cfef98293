# What is left when nothing is asked of a call but who makes it.
package sekisho

decision := {"grant": [{"id": "everybody"}], "deny": [], "approve": [], "warn": [], "obligations": []}
