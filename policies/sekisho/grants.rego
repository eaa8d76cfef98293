# Who may do what, where: the rows of data.grants. Every column must agree, and a row that lacks one grants nothing.
package sekisho

grant contains {"id": id} if {
	some id, row in data.grants
	action in row.actions
	input.server.tier in row.tiers
	to_caller(row)
	on_server(row)
	for_tool(row)
}

to_caller(row) if {
	some pattern in row.principals
	matches(input.principal.id, pattern)
}

to_caller(row) if {
	some group in row.groups
	group in input.principal.groups
}

to_caller(row) if {
	some role in row.roles
	role in input.principal.roles
}

on_server(row) if {
	some pattern in row.servers
	matches(input.server.id, pattern)
}

for_tool(row) if {
	some pattern in row.tools
	matches(input.tool.ref, pattern)
}

# A row for certain tools says nothing about resources and prompts.
for_tool(row) if {
	input.tool == null
	"*" in row.tools
}

# A name, or the beginning of one and a star: "files/read_*".
matches(name, pattern) if name == pattern

matches(name, pattern) if {
	endswith(pattern, "*")
	startswith(name, trim_suffix(pattern, "*"))
}
