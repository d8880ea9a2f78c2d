"""Databases for tests of whole processes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.monitor.storage.conftest import _new_database, postgresql_server

__all__ = ["postgresql_server"]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Return a function that gives the URL of an empty database."""
    names = iter(range(100))

    def new() -> str:
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path / f'database-{next(names)}.db'}"
        return _new_database(request.getfixturevalue("postgresql_server"))

    return new
