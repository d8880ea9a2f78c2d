"""Where a value stands in a record: keys joined by dots, list elements as ``[0]``."""

import functools
import re

__all__ = ["Step", "look_up", "parse_path"]

Step = str | int

_STEP = re.compile(r"(?:^|(?<=.)\.)((?:[^.\[\]\\]|\\.)+)|\[(\d+)\]")


@functools.cache
def parse_path(path: str) -> tuple[Step, ...]:
    r"""Return the steps of `path`: a string for a key, an integer for a list element.

    A backslash before a dot or a bracket takes it as part of the key.

    Raises
    ------
    ValueError
        If the path is empty or not of that form.

    Examples
    --------
    >>> parse_path("choices[0].finish_reason")
    ('choices', 0, 'finish_reason')
    >>> parse_path(r"gen_ai\.usage")
    ('gen_ai.usage',)
    """
    steps: list[Step] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            break
        key, index = match.groups()
        steps.append(int(index) if key is None else re.sub(r"\\(.)", r"\1", key))
        position = match.end()
    if not steps or position < len(path) or isinstance(steps[0], int):
        message = f"a path must be keys joined by dots, with [0] for elements, got {path!r}"
        raise ValueError(message)
    return tuple(steps)


def look_up(record: object, steps: tuple[Step, ...]) -> object:
    """Return the value at `steps`, or None where a step leads nowhere."""
    value: object = record
    for step in steps:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and step < len(value) else None
        if value is None:
            return None
    return value
