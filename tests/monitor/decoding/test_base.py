"""The account of a block."""

import numpy as np
import pytest

from baselines.columns import Columns
from monitor.decoding.base import Decoded, RejectionReason


def test_rows_and_rejections_must_add_up_to_the_records() -> None:
    columns = Columns(n_rows=2, time_us=np.zeros(2, np.int64))

    assert Decoded(columns=columns, rejected={RejectionReason.INVALID_JSON: 1}, n_records=3)
    with pytest.raises(ValueError, match=r"must add up.*got 2 \+ 0 for 3"):
        Decoded(columns=columns, n_records=3)
