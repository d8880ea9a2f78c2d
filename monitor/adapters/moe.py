"""The event ``moe/1``: one model output as one JSON object, and its schema.

A configuration that says ``schema: moe/1`` gets `moe_schema`, with one group column for each
declared protected attribute (read from ``groups.<attribute>``) and one slice column for each
declared stratum (``strata.<name>``). Only events whose ``event_type`` is ``output``, or that
have none, become rows; labels, reviews and attributes are counted as `not_an_output`.

A group must be a single value: an event whose group is an object, such as the probabilities of
a proxy method, is rejected as `invalid_value`. The same holds for ``error``, which is a code.
"""

from collections.abc import Sequence

from baselines.schema import Column, Dtype, Role, Schema
from monitor.decoding.base import RecordRule

__all__ = ["MOE_NAME", "MOE_OUTPUTS", "MOE_SCHEMA", "moe_schema"]

MOE_NAME = "moe/1"

MOE_OUTPUTS = RecordRule(path="event_type", accepted=frozenset({"output"}))


def _column(
    name: str, role: Role, path: str, dtype: Dtype | None = None, unit: str = ""
) -> Column:
    return Column(name=name, role=role, path=path, dtype=dtype, unit=unit)


_COLUMNS: tuple[Column, ...] = (
    _column("ts", Role.TIMESTAMP, "ts"),
    _column("event_id", Role.EVENT_ID, "event_id"),
    _column("subject", Role.SUBJECT, "subject.id"),
    _column("model_provider", Role.SLICE, "model.provider"),
    _column("model_name", Role.SLICE, "model.name"),
    _column("model_version", Role.SLICE, "model.version"),
    _column("model_deployment", Role.SLICE, "model.deployment"),
    _column("model_fingerprint", Role.CATEGORY, "model.fingerprint"),
    _column("app", Role.SLICE, "app.name"),
    _column("prompt_version", Role.SLICE, "app.prompt_version"),
    _column("policy_version", Role.SLICE, "app.policy_version"),
    _column("locale", Role.SLICE, "app.locale"),
    _column("language", Role.SLICE, "app.language"),
    _column("region", Role.SLICE, "app.region"),
    _column("channel", Role.SLICE, "app.channel"),
    _column("output_label", Role.CATEGORY, "output.label"),
    _column("prediction", Role.PREDICTION, "output.positive", Dtype.BOOLEAN),
    _column("score", Role.SCORE, "output.score"),
    _column("output_value", Role.NUMERIC, "output.value"),
    _column("finish_reason", Role.CATEGORY, "output.finish_reason"),
    _column("refusal", Role.CATEGORY, "output.refusal.is", Dtype.BOOLEAN),
    _column("n_chars", Role.NUMERIC, "output.n_chars", Dtype.INT64, "characters"),
    _column("input_tokens", Role.NUMERIC, "usage.input_tokens", Dtype.INT64, "tokens"),
    _column("output_tokens", Role.NUMERIC, "usage.output_tokens", Dtype.INT64, "tokens"),
    _column("reasoning_tokens", Role.NUMERIC, "usage.reasoning_tokens", Dtype.INT64, "tokens"),
    _column("cached_tokens", Role.NUMERIC, "usage.cached_tokens", Dtype.INT64, "tokens"),
    _column("latency_ms", Role.NUMERIC, "latency_ms", unit="milliseconds"),
    _column("error", Role.CATEGORY, "error"),
    _column("checks", Role.SAFETY_CHECK, "safety.checks"),
    # A label is a class of any name; binary ones are written as 0 and 1 or as false and true.
    Column(name="label", role=Role.LABEL, path="label.y_true", positive=("1", "true")),
    _column("output_text", Role.TEXT, "output.text"),
)


def moe_schema(groups: Sequence[str] = (), strata: Sequence[str] = ()) -> Schema:
    """Return the schema of ``moe/1`` with the groups and strata that a system declares.

    Parameters
    ----------
    groups
        Names of protected attributes; each becomes a group column read from
        ``groups.<name>``.
    strata
        Names of legitimate conditions to slice by, read from ``strata.<name>``.

    Raises
    ------
    ValueError
        If a name is taken by another column.

    Examples
    --------
    >>> moe_schema(groups=["sex"])["sex"].source_path
    'groups.sex'
    """
    declared = [_column(name, Role.GROUP, f"groups.{name}") for name in groups]
    declared += [_column(name, Role.SLICE, f"strata.{name}") for name in strata]
    return Schema(name=MOE_NAME, columns=(*_COLUMNS, *declared))


MOE_SCHEMA = moe_schema()
