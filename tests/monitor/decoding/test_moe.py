"""The schema of moe/1, read from events."""

import orjson
import pytest

from baselines.columns import Categories, Numbers
from baselines.schema import Role
from monitor.adapters.moe import MOE_SCHEMA, moe_schema
from monitor.decoding.base import Needs, Origin, RejectionReason
from monitor.decoding.json_block import decode_json_lines
from monitor.decoding.plan import plan_decoding

EVENT = {
    "schema": "moe/1",
    "event_id": "e1",
    "event_type": "output",
    "ts": "2026-01-02T03:04:05Z",
    "model": {"name": "m", "version": "7"},
    "groups": {"sex": "F"},
    "strata": {"job": "eng"},
    "output": {"positive": True, "score": 0.7, "text": "Yes.", "refusal": {"is": False}},
    "usage": {"output_tokens": 12},
    "safety": {"checks": [{"stage": "output", "filter": "f", "category": "c", "flagged": True}]},
}


def test_an_output_becomes_a_row_with_short_names() -> None:
    plan = plan_decoding(moe_schema(groups=["sex"], strata=["job"]), Needs(event_ids=True))

    columns = decode_json_lines(orjson.dumps(EVENT), plan, Origin()).columns

    assert columns.event_ids is not None
    assert columns.event_ids.tolist() == ["e1"]
    shown = {
        name: field.levels[field.codes[0]]
        for name, field in columns.fields.items()
        if isinstance(field, Categories) and field.codes[0] >= 0
    }
    assert shown["model_version"] == "7"
    assert shown["prediction"] == "true"
    assert shown["refusal"] == "false"
    assert (shown["sex"], shown["job"]) == ("F", "eng")
    assert shown["check:output/f/c"] == "ok/flagged/none"
    tokens = columns.fields["output_tokens"]
    assert isinstance(tokens, Numbers)
    assert tokens.values.tolist() == [12.0]
    assert "output_text" not in columns.fields
    assert "output_text.n_words" in columns.fields


@pytest.mark.parametrize("positive", [1, True, "1", "true"])
@pytest.mark.parametrize("negative", [0, False, "0", "false"])
def test_a_binary_label_is_positive_however_it_is_written(
    positive: object, negative: object
) -> None:
    labels = [positive, negative, positive, None]
    block = b"\n".join(orjson.dumps(EVENT | {"label": {"y_true": label}}) for label in labels)

    label = decode_json_lines(block, plan_decoding(MOE_SCHEMA, Needs()), Origin()).columns.fields[
        "label"
    ]

    assert isinstance(label, Categories)
    levels = [None if code < 0 else label.levels[code] for code in label.codes.tolist()]
    column = MOE_SCHEMA["label"]
    assert [level in column.positive_levels for level in levels] == [True, False, True, False]
    assert levels[3] is None


@pytest.mark.parametrize("kind", ["label", "review", "attributes", 3, {}])
def test_other_events_are_counted_and_give_no_row(kind: object) -> None:
    block = b"\n".join(orjson.dumps(EVENT | {"event_type": one}) for one in ("output", kind))

    decoded = decode_json_lines(block, plan_decoding(MOE_SCHEMA, Needs()), Origin())

    assert decoded.columns.n_rows == 1
    assert decoded.rejected == {RejectionReason.NOT_AN_OUTPUT: 1}
    assert decoded.rejections == ()


def test_an_event_without_a_type_is_an_output() -> None:
    event = {key: value for key, value in EVENT.items() if key != "event_type"}

    decoded = decode_json_lines(orjson.dumps(event), plan_decoding(MOE_SCHEMA, Needs()), Origin())

    assert decoded.columns.n_rows == 1


def test_declared_groups_and_strata_become_columns() -> None:
    schema = moe_schema(groups=["sex"], strata=["job_family"])

    assert schema["sex"].role is Role.GROUP
    assert schema["job_family"].source_path == "strata.job_family"


def test_a_group_that_is_named_like_another_column_is_refused() -> None:
    with pytest.raises(ValueError, match="unique"):
        moe_schema(groups=["score"])
