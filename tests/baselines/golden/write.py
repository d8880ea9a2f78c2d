"""Write the golden file of the current format: run once, when the format's version changes.

The baseline is made by hand, so that its content never depends on how layouts are fitted.
"""

from pathlib import Path

import numpy as np

from baselines.baseline import Baseline, Provenance
from baselines.checks import CHECK_OUTCOMES, check_column
from baselines.codec import FORMAT_VERSION, encode_baseline
from baselines.layout import AxisNeed, CategoryAxis, Layout, NumericAxis, Table
from baselines.schema import Column, Dtype, Role, Schema
from baselines.summary import Window, WindowKey, WindowSummary

HOUR_US = 3_600_000_000


def golden_baseline() -> Baseline:
    """Return a small baseline that uses every kind of column, axis and count."""
    check = check_column("output", "toxicity", "hate/threatening")
    schema = Schema(
        name="golden",
        columns=(
            Column(name="at", role=Role.TIMESTAMP, path="meta.at"),
            Column(name="score", role=Role.SCORE, unit="probability"),
            Column(name="sex", role=Role.GROUP),
            Column(name="approved", role=Role.PREDICTION, dtype=Dtype.FLOAT64, threshold=0.1),
            Column(name=check, role=Role.SAFETY_CHECK),
        ),
    )
    score = NumericAxis(AxisNeed("score"), np.array([0.0, 0.1, 1.0]), np.array([0.07, 0.5]))
    sex = CategoryAxis(AxisNeed("sex"), ("f", "m", "ü\u2028"))
    approved = CategoryAxis(AxisNeed("approved"), ("false", "true"))
    verdicts = CategoryAxis(AxisNeed(check), CHECK_OUTCOMES)
    layout = Layout((Table((score,)), Table((sex,)), Table((sex, approved)), Table((verdicts,))))
    cells = np.arange(layout.n_cells, dtype=np.int64)
    windows = tuple(
        Window(
            WindowKey(hour * HOUR_US, (hour + 1) * HOUR_US, "all"),
            WindowSummary(layout, cells % 7 + hour),
            hour > 0,
        )
        for hour in range(3)
    )
    return Baseline(
        schema=schema,
        layout=layout,
        references={
            "all": WindowSummary(layout, cells**5),
            "sex=f": WindowSummary(layout, cells // 2),
        },
        history=windows,
        provenance=Provenance(
            source="written by hand",
            from_us=0,
            to_us=3 * HOUR_US,
            first_us=1,
            last_us=3 * HOUR_US - 1,
            n_rows=3,
            n_rejected=1,
            windows={"type": "tumbling", "seconds": 3_600},
            n_windows=3,
            created_at_us=4 * HOUR_US,
            outputwatch_version="0.1.0",
        ),
    )


if __name__ == "__main__":
    path = Path(__file__).parent / f"format_{FORMAT_VERSION}.owbl"
    path.write_bytes(encode_baseline(golden_baseline()))
    print(golden_baseline().id)
