"""A server on the loopback that takes what channels tell."""

from collections.abc import Iterator

import pytest

from tests.acceptance.case import Listener, listening


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as running:
        yield running
