import json
import math
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from detectors.base import Estimate, FailureMode, Finding, GroupCount, Measure, Verdict
from monitor.incidents.records import canonical_json, from_record, to_record

numbers = st.floats(allow_nan=False)
findings = st.builds(
    Finding,
    detector=st.just("psi"),
    series=st.text(max_size=8),
    failure_mode=st.sampled_from(FailureMode),
    verdict=st.sampled_from(Verdict),
    effect=st.none() | st.builds(Estimate, numbers, numbers, numbers),
    tolerance=numbers,
    columns=st.lists(st.text(max_size=4), max_size=3).map(tuple),
    n_rows=st.integers(0, 2**53),
    measures=st.lists(
        st.builds(Measure, st.text(max_size=4), numbers, st.none() | numbers), max_size=2
    ).map(tuple),
    groups=st.lists(
        st.builds(GroupCount, st.text(max_size=3), st.integers(0, 9), st.integers(0, 9)),
        max_size=2,
    ).map(tuple),
    n_affected=st.none() | st.integers(0, 9),
)


@settings(max_examples=60, deadline=None)
@given(findings)
def test_a_finding_survives_json_with_every_number(finding: Finding) -> None:
    text = json.dumps(to_record(finding), allow_nan=False)

    assert from_record(Finding, json.loads(text)) == finding


def test_an_undefined_number_stays_undefined() -> None:
    back = from_record(Estimate, json.loads(json.dumps(to_record(Estimate(math.nan, 0.0, 1.0)))))

    assert math.isnan(back.value)


@dataclass(frozen=True)
class Other:
    name: str


def test_a_record_of_something_else_is_refused() -> None:
    with pytest.raises(ValidationError):
        from_record(Estimate, to_record(Other("x")))


def test_equal_values_give_equal_text() -> None:
    one = canonical_json({"b": (1, 2.5), "a": {"y": None, "x": "ü"}})
    other = canonical_json({"a": {"x": "ü", "y": None}, "b": [1, 2.5]})

    assert one == other == '{"a":{"x":"ü","y":null},"b":[1,2.5]}'
