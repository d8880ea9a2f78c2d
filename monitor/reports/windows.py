"""An audit's windows and findings for notebooks."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from baselines.baseline import Baseline
from baselines.packing import decode_counts
from baselines.reference import Reference
from baselines.summary import Window, WindowSummary
from detectors.base import Detector, Estimate
from monitor.storage.store import Store

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["audited_windows", "findings_frame"]

_NOTHING = Estimate(float("nan"), float("nan"), float("nan"))


def audited_windows(
    store: Store, job_id: str, baseline: Baseline, *, slice: str = "all"
) -> tuple[Window, ...]:
    """Return the windows that an audit counted, in order of time.

    Parameters
    ----------
    store
        The database of the audit.
    job_id
        Names the audit, see `monitor.engine.audit.AuditResult`.
    baseline
        The baseline of the audit: the counts are on its layout.
    slice
        Which traffic.
    """
    layout = baseline.layout
    return tuple(
        Window(stored.key, WindowSummary(layout, decode_counts(stored.body, layout.n_cells)))
        for stored in store.windows(job_id, slice_=slice)
    )


def findings_frame(
    detector: Detector, reference: Reference, windows: Iterable[Window]
) -> "pd.DataFrame":
    """Return what a detector says of each window; change an option and ask again.

    Returns
    -------
    pd.DataFrame
        Index ``start`` (UTC); ``rows``; ``verdict``; ``effect`` with its bounds ``low`` and
        ``high``, in the detector's unit, NaN without evidence; ``tolerance``; ``sentence``.
    """
    import pandas as pd

    chosen = list(windows)
    findings = [detector.compare(reference, window) for window in chosen]
    effects = [finding.effect or _NOTHING for finding in findings]
    start = pd.to_datetime([w.key.start_us for w in chosen], unit="us", utc=True)
    return pd.DataFrame(
        {
            "rows": [finding.n_rows for finding in findings],
            "verdict": [finding.verdict.value for finding in findings],
            "effect": [effect.value for effect in effects],
            "low": [effect.low for effect in effects],
            "high": [effect.high for effect in effects],
            "tolerance": [finding.tolerance for finding in findings],
            "sentence": [finding.sentence for finding in findings],
        },
        index=start.rename("start"),
    )
