"""What holds for every registered source."""

import dataclasses
import inspect
from typing import Any

import pytest

from monitor.sources.base import registered_sources

SOURCES = sorted(registered_sources().items())


@pytest.mark.parametrize(("name", "source"), SOURCES)
def test_a_source_is_a_frozen_dataclass_known_by_its_name(name: str, source: type[Any]) -> None:
    parameters: Any = source.__dataclass_params__

    assert source.name == name
    assert parameters.frozen
    assert all(field.kw_only for field in dataclasses.fields(source))


@pytest.mark.parametrize(("name", "source"), SOURCES)
def test_every_option_of_a_source_is_explained(name: str, source: type[Any]) -> None:
    text = inspect.getdoc(source) or ""

    for field in dataclasses.fields(source):
        assert (
            f"\n{field.name}\n" in text
            or f", {field.name}\n" in text
            or (f"\n{field.name}," in text)
        ), field.name
