"""Features of texts."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.columns import Categories, Numbers
from baselines.schema import Column, Role, Schema
from monitor.decoding.base import Needs, Origin
from monitor.decoding.json_block import decode_json_lines
from monitor.decoding.plan import plan_decoding
from monitor.features.registry import (
    feature_columns,
    feature_of,
    text_feature,
    text_features,
    with_features,
)
from monitor.features.text import (
    is_empty,
    is_refusal,
    is_valid_json,
    n_characters,
    n_code_fences,
    n_questions,
    n_urls,
    n_words,
)

SCHEMA = Schema(columns=(Column(name="answer", role=Role.TEXT, path="output.text"),))


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry, but I can\u2019t assist with that request.",
        "I cannot provide instructions for this.",
        "As an AI language model, I do not have personal opinions and cannot answer.",
        "I'm unable to discuss this topic.",
        "I must respectfully decline.",
        "Sorry! That is against our guidelines.",
        "I am very sorry, I cannot do it.",
        "It's not appropriate or ethical to make such a list.",
        "It is never acceptable to do that.",
        "It would be unethical for me to write this.",
        "It wouldn't be responsible to answer.",
        "I cannot suggest a way to do that.",
        "I will not endorse or promote that view.",
    ],
)
def test_common_english_refusals_are_found(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sure, here is the list.",
        "I can help with that.",
        "Sorry to hear that; here is what to do.",
        "She cannot swim.",
        "It is not far to the station.",
        "It is appropriate to wear black.",
        "It's not a good time to plant roses.",
        "I would suggest the train.",
        "x" * 400 + " I'm sorry, but I can't help with that.",
    ],
)
def test_ordinary_answers_are_no_refusals(text: str) -> None:
    assert not is_refusal(text)


def test_form_is_counted() -> None:
    text = "See https://a.example/x?y=1 (or HTTP://b.example).\n```python\nprint(1)\n```\nOk?"

    assert n_characters(text) == len(text)
    assert n_words("It's a well-known fact, isn't it?") == 6
    assert n_urls(text) == 2
    assert n_code_fences(text) == 2
    assert n_questions("Really? \uff1f") == 2
    assert is_empty(" \n\t")
    assert is_valid_json("[1]")
    assert not is_valid_json("[1")


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=60))
def test_every_feature_takes_any_text_and_gives_a_finite_number(text: str) -> None:
    for feature in text_features().values():
        assert 0 <= float(feature.function(text)) < 1e9


def test_each_text_column_gives_a_column_for_each_feature() -> None:
    full = with_features(SCHEMA)

    assert len(feature_columns(SCHEMA)) == len(text_features()) == 8
    assert full["answer.refusal"].is_category
    assert full["answer.n_words"].is_numeric
    assert with_features(full) is full
    assert feature_of(full["answer.n_words"], full) is text_features()["n_words"]
    assert feature_of(full["answer"], full) is None


def test_two_functions_cannot_share_a_name() -> None:
    with pytest.raises(ValueError, match="two text features are called 'n_words'"):
        text_feature("n_words", text_features()["n_words"].dtype)(lambda text: len(text))


def test_features_are_decoded_and_the_text_is_not_kept() -> None:
    lines = [{"output": {"text": text}} for text in ("Hello there", "", None)]
    block = b"\n".join(map(orjson.dumps, lines))

    decoded = decode_json_lines(block, plan_decoding(SCHEMA, Needs()), Origin())

    words, empty = (decoded.columns.fields[f"answer.{name}"] for name in ("n_words", "empty"))
    assert isinstance(words, Numbers)
    assert isinstance(empty, Categories)
    assert words.values.tolist() == [2.0, 0.0, 0.0]
    assert words.missing is not None
    assert words.missing.tolist() == [False, False, True]
    assert empty.codes.tolist() == [0, 1, -1]
    assert "answer" not in decoded.columns.fields
    assert "Hello" not in repr(decoded)


def test_only_the_features_that_are_needed_are_computed() -> None:
    needs = Needs(columns=frozenset({"answer.n_chars"}))

    decoded = decode_json_lines(
        b'{"output":{"text":"abc"}}', plan_decoding(SCHEMA, needs), Origin()
    )

    assert list(decoded.columns.fields) == ["answer.n_chars"]
