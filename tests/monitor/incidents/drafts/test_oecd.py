"""The export in the criteria of the OECD."""

import json

from monitor.incidents.drafts.facts import facts_of
from monitor.incidents.drafts.fields import DEFINITIONS
from monitor.incidents.drafts.oecd import CRITERIA, oecd_record

HUMAN_ONLY = {3, 10, 11, 12, 13, 15, 16, 21}


def export(growing) -> dict:
    return oecd_record(facts_of(growing.incident, growing.entries, {}, growing.now_us))


def test_there_are_29_criteria_of_known_fields_and_those_for_persons_take_no_others() -> None:
    assert [each.number for each in CRITERIA] == list(range(1, 30))
    assert {each.number for each in CRITERIA if each.human} == HUMAN_ONLY
    for each in CRITERIA:
        assert set(each.fields) <= set(DEFINITIONS)
        if each.human:
            assert all(DEFINITIONS[name].human for name in each.fields)


def test_the_monitor_fills_what_it_knows_and_leaves_the_rest_empty(growing) -> None:
    filled = {each["number"] for each in export(growing)["criteria"] if each["values"]}

    assert filled == {1, 2, 5, 7, 8, 14, 20, 28}
    assert not filled & HUMAN_ONLY


def test_the_mandatory_ones_are_marked_and_those_missing_are_listed(growing) -> None:
    found = export(growing)

    mandatory = {each["number"] for each in found["criteria"] if each["mandatory"]}
    assert mandatory == {1, 2, 3, 4, 7, 10, 11}
    assert found["mandatory_missing"] == [3, 4, 10, 11]


def test_a_severity_is_never_converted_but_chosen_by_a_person(growing) -> None:
    before = export(growing)["criteria"][9]
    seq = growing.state("oecd_severity", "serious incident")
    after = export(growing)["criteria"][9]

    assert before["values"] == []
    assert [(each["text"], each["refs"]) for each in after["values"]] == [
        ("serious incident", [f"e{seq}"])
    ]


def test_the_export_is_json_with_estimates_as_intervals(growing) -> None:
    onset = json.loads(json.dumps(export(growing)))["criteria"][4]["values"][0]

    assert onset["state"] == "estimate"
    assert onset["low"] < onset["high"]
