package sekisho_test

import data.sekisho

personal_data := {"personal_data": {"kinds": ["email"], "pointers": ["/people/*/phone"], "cleared": ["support"]}}

test_personal_data_is_hidden if {
	{one.properties | some one in sekisho.obligations} == {{
		"on": "result",
		"kinds": ["email"],
		"pointers": ["/people/*/phone"],
	}} with input as call with data.packs as personal_data
}

test_personal_data_is_shown_to_who_is_cleared if {
	cleared := changed({"principal": {"groups": ["support", "x"]}})
	count(sekisho.obligations) == 0 with input as cleared with data.packs as personal_data
}

test_personal_data_is_hidden_from_who_has_no_groups if {
	every principal in [{"groups": null}, {"groups": []}] {
		count(sekisho.obligations) == 1 with input as changed({"principal": principal}) with data.packs as personal_data
	}
}
