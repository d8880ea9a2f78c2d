"""From the counts of a window to outputs with values, as the detector of a series reads them."""

from collections.abc import Iterator, Mapping

from baselines.checks import CHECK_OUTCOMES, CHECK_PREFIX
from baselines.schema import Schema
from detectors.base import Detector
from monitor.policy_tests.notation import NotationError, Part, WindowCounts
from monitor.policy_tests.shorthand import Outputs, Value, gap, mix, rate

__all__ = ["outputs_of"]


def outputs_of(detector: Detector, schema: Schema, window: WindowCounts) -> tuple[Outputs, ...]:
    """Return the outputs of a window.

    A rate is written ``hits/total``, a gap by group, a mix by level or bin. Every detector, new
    ones too, understands outputs that name their columns: ``sex=F & approved=yes 120``.

    Parameters
    ----------
    detector
        Of the series that the window is written for.
    schema
        With the columns of features.
    window
        What is written.

    Raises
    ------
    NotationError
        If the detector cannot read it.
    """
    if not window.parts:
        return ()
    outputs = [
        each
        for position, part in enumerate(window.parts)
        for each in _outputs(detector, schema, part, position)
    ]
    if window.missing:
        outputs.append(Outputs(values={}, number=window.missing))
    return tuple(outputs)


def _outputs(detector: Detector, schema: Schema, part: Part, position: int) -> Iterator[Outputs]:
    if part.names and all("=" in name for name in part.names):
        yield _named(schema, part)
        return
    if (of_rate := rate(detector, schema)) is not None:
        yield from of_rate.outputs(detector.name, part)
    elif (of_gap := gap(detector, schema)) is not None:
        yield from of_gap.outputs(detector.name, part)
    elif (of_mix := mix(detector, schema)) is not None:
        yield of_mix.outputs(detector.name, part, position)
    else:
        message = (
            f"{detector.name} reads outputs that name their columns, for example "
            f"'label=yes & prediction=no 40', got {part}"
        )
        raise NotationError(message)


def _named(schema: Schema, part: Part) -> Outputs:
    if part.hits is not None:
        message = f"outputs that name their columns take a count, got {part}"
        raise NotationError(message)
    pairs = (name.partition("=") for name in part.names)
    values: Mapping[str, Value] = {
        column.strip(): _value(schema, column.strip(), value.strip()) for column, _, value in pairs
    }
    return Outputs(values=values, number=part.number)


def _value(schema: Schema, column: str, value: str) -> Value:
    if column.startswith(CHECK_PREFIX):
        if value not in CHECK_OUTCOMES:
            message = f"{column!r} must be such as 'ok/flagged/block', got {value!r}"
            raise NotationError(message)
        return value
    if column not in schema or not (schema[column].is_numeric or schema[column].is_category):
        message = f"must name columns of the schema that are counted, got {column!r}"
        raise NotationError(message)
    if schema[column].is_category:
        return value
    try:
        return float(value)
    except ValueError as error:
        message = f"{column!r} holds numbers, got {value!r}"
        raise NotationError(message) from error
