import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.document import option_name, parse_document
from monitor.config.problems import ConfigurationError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: abs(x) < 1e16)
    | st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcdefgh", min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(VALUES)
def test_json_means_in_yaml_what_it_means_in_json(value: object) -> None:
    text = json.dumps(value)

    document = parse_document(text, "a.yaml")

    assert document.data == json.loads(text)
    assert document.problems == []


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "2026-01-31", "1:30", "0x1f", "<<"])
def test_words_that_older_yaml_reads_otherwise_are_text(word: str) -> None:
    assert parse_document(f"a: {word}\n", "a.yaml").data == {"a": word}


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("False", False), ("~", None), ("", None), ("1e3", 1000.0), ("-7", -7)],
)
def test_words_of_the_core_schema_have_their_value(text: str, value: object) -> None:
    data = parse_document(f"a: {text}\n", "a.yaml").data

    assert data == {"a": value}
    assert type(data["a"]) is type(value)


def test_a_key_marks_its_value_and_an_element_marks_itself() -> None:
    document = parse_document("a:\n  - b: 1\n    c: 2\n  - d\n", "a.yaml")

    assert document.marks[("a",)] == (1, 1)
    assert document.marks[("a", 0, "c")] == (3, 5)
    assert document.marks[("a", 1)] == (4, 5)


def test_what_is_not_there_has_the_place_of_what_it_should_be_in() -> None:
    document = parse_document("a:\n  b: 1\n", "a.yaml")

    place = document.place(("a", "c", "d"), missing=True)

    assert (place.line, place.column, place.option) == (1, 1, "a.c")


def test_an_alias_has_the_value_of_its_anchor() -> None:
    assert parse_document("a: &x [1]\nb: *x\n", "a.yaml").data == {"a": [1], "b": [1]}


@pytest.mark.parametrize("text", ["a: [1", "a: b: c", "\x00", "a: *nothing"])
def test_what_is_not_yaml_is_one_problem_with_a_place(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_document(text, "a.yaml")

    (problem,) = caught.value.problems
    assert str(problem).startswith("a.yaml:")


def test_a_key_that_is_a_list_leaves_the_rest_readable() -> None:
    document = parse_document("? [a]\n: b\nc: d\n", "a.yaml")

    (problem,) = document.problems
    assert problem.message.startswith("option names must be text")
    assert document.data == {"c": "d"}


def test_the_name_of_an_option_shows_the_way_to_it() -> None:
    assert option_name(("detectors", 3, "group", 0)) == "detectors[3].group[0]"
