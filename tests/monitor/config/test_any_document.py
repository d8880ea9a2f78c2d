"""Whatever a file says, the answer is a configuration or problems with places."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.document import parse_document
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.config.problems import ConfigurationError

TESTDATA = Path(__file__).parent / "testdata"
EVERYTHING = parse_document(
    (TESTDATA / "everything.good.yaml").read_text(), "everything.good.yaml"
).data
WORDS = st.sampled_from(["*", "sex", "income", "tumbling", "files", "check:a/b/c", "", "moe/1"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-2, 2) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "type", "column", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(value: object, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value below the root."""
    if isinstance(value, dict):
        inner: list[tuple[Any, object]] = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        return []
    here = [(*above, key) for key, _ in inner]
    return here + [way for key, each in inner for way in places(each, (*above, key))]


def replaced(way: tuple[Any, ...], value: object) -> object:
    data: Any = copy.deepcopy(EVERYTHING)
    inner = data
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = value
    return data


def answer(path: Path) -> Configuration | ConfigurationError:
    try:
        return load_configuration(path, environment={"PASSWORD": "hunter2"})
    except ConfigurationError as error:
        return error


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(places(EVERYTHING)), VALUES)
def test_a_replaced_value_never_ends_in_anything_but_problems(
    tmp_path_factory: pytest.TempPathFactory, way: tuple[Any, ...], value: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "monitor.yaml"
    path.write_text(json.dumps(replaced(way, value), indent=1))

    given_back = answer(path)

    assert "hunter2" not in str(given_back)
    if isinstance(given_back, ConfigurationError):
        assert given_back.problems
        assert all(problem.place.line > 1 for problem in given_back.problems)
    else:
        assert given_back.detectors
