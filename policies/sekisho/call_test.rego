# A call as the gateway describes it; each test changes only what it is about.
package sekisho_test

call := {
	"v": 1,
	"phase": "call",
	"method": "tools/call",
	"principal": {"type": "agent", "id": "run:7f3a", "tenant": null, "roles": [], "groups": [], "scopes": []},
	"run": {"id": "7f3a", "ceiling": {"tiers": null, "tools": null}},
	"server": {"id": "files", "tier": "internal", "transport": "stdio", "signature": {"status": "unsigned", "key": null}},
	"tool": {"name": "read_text_file", "ref": "files/read_text_file", "action": "read", "risk": "low", "paths": ["/path"]},
	"resource": null,
	"prompt": null,
	"arguments": {"path": "notes.txt"},
	"facts": {
		"paths": [{"pointer": "/path", "canonical": "/work/workspace/notes.txt", "root": "workspace", "escapes": false}],
		"urls": [],
		"commands": [],
		"branches": [],
		"secrets": [],
	},
	"approval": null,
}

write := changed({"tool": {"name": "write_file", "ref": "files/write_file", "action": "write", "risk": "medium"}})

changed(what) := object.union(call, what)

codes(found) := {one.code | some one in found}

ids(found) := {one.id | some one in found}
