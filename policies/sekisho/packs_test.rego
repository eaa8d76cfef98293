package sekisho_test

import data.sekisho

test_the_settings_of_every_pack_that_is_on_are_whole if {
	count(sekisho.strange_settings) == 0
}

test_a_pack_that_is_on_by_half_lets_nothing_pass if {
	every given in [true, null, [], {"one": 1}] {
		codes(sekisho.deny) == {"PACK_SETTINGS"} with input as call with data.packs as {"none": given}
	}
}
