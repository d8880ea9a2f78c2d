"""A unit's counts: what is packed in between does not show in the result."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.columns import Categories, Columns
from baselines.counting import Counter
from baselines.layout import AxisNeed, CategoryAxis, Layout, Table
from baselines.packing import encode_counts
from monitor.engine import partial_counts
from monitor.engine.partial_counts import PartialCounts
from monitor.engine.partition import Counts, PartialKey, Partition
from monitor.windows.spec import TumblingWindows

N_CELLS = 4
LAYOUT = Layout((Table((CategoryAxis(AxisNeed("region"), ("EU", "US")),)),))

parts = st.lists(
    st.tuples(
        st.tuples(st.sampled_from(["all", "region=EU"]), st.integers(0, 5)),
        st.lists(st.integers(0, 70_000), min_size=N_CELLS, max_size=N_CELLS),
    ),
    max_size=40,
)


@pytest.mark.parametrize("bound", [0, N_CELLS, 3 * N_CELLS, 1 << 24])
@settings(max_examples=30, deadline=None)
@given(counted=parts)
def test_any_bound_gives_the_same_bytes(bound: int, counted: list) -> None:
    expected: dict[PartialKey, Counts] = {}
    total = PartialCounts(N_CELLS)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partial_counts, "MAX_DENSE_CELLS", bound)
        total.add((key, np.array(values, dtype=np.int64)) for key, values in counted)
        encoded = total.encoded()

    for key, values in counted:
        expected[key] = expected.get(key, np.zeros(N_CELLS, dtype=np.int64)) + values
    assert encoded == {key: encode_counts(values) for key, values in expected.items()}
    assert list(encoded) == sorted(encoded)


def test_counts_that_are_kept_do_not_keep_those_of_other_windows_in_memory() -> None:
    columns = Columns(
        n_rows=3,
        time_us=np.array([0, 60_000_000, 120_000_000]),
        fields={"region": Categories.from_values(["EU", "US", None])},
    )
    partition = Partition(windows=TumblingWindows(seconds=60), by=(("region",),))

    counted = dict(partition.counted(columns, Counter(LAYOUT)))

    assert len(counted) == 6
    assert all(counts.base is None for counts in counted.values())
