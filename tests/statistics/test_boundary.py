"""At the very edge of the tolerance, alarms stay within windows / c."""

import numpy as np
import pytest

from benchmarks.simulation.boundary import at_boundary, edge_of
from benchmarks.simulation.families import FAMILIES


@pytest.mark.parametrize("correlation", [0.0, 0.002])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_alarms_at_the_edge_are_within_what_the_threshold_allows(family, correlation) -> None:
    found = at_boundary(
        family, threshold=50.0, n_series=100, n_windows=60, correlation=correlation
    )

    # Alarms of one series exclude each other for a while, so they vary less than Poisson.
    assert found.alarms <= found.allowed + 3 * np.sqrt(found.allowed)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_edge_is_one_beyond_it_alarms_exceed_the_bound(family, monkeypatch) -> None:
    edge = edge_of(family)
    monkeypatch.setattr("benchmarks.simulation.boundary.edge_of", lambda _: min(2.2 * edge, 0.9))

    found = at_boundary(family, threshold=50.0, n_series=40, n_windows=40)

    assert found.alarms > found.allowed + 3 * np.sqrt(found.allowed)
