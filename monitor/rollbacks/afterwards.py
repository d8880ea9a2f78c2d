"""What becomes known later: whether the metric came back, a fact of its own."""

from monitor.incidents.records import Record
from monitor.incidents.timeline import MONITOR
from monitor.rollbacks.errors import Refusal, RefusedError
from monitor.rollbacks.execution import Step, StepKind
from monitor.rollbacks.means import Means

__all__ = ["note_metric"]


def note_metric(
    means: Means,
    execution_id: str,
    *,
    series: str,
    slice_: str = "all",
    window_start_us: int,
    window_end_us: int,
    within: bool,
) -> Step:
    """Write down whether a series was within tolerance in a window after a rollback.

    The end of the execution does not change: that the target is served and that it helps are
    two facts.

    Parameters
    ----------
    series, slice_
        What was watched, and on which traffic.
    window_start_us, window_end_us
        The window; it must lie wholly after the rollback.
    within
        Whether the series was within tolerance, decided on enough rows.

    Raises
    ------
    RefusedError
        If the target is not served, or the window began before it was.
    """
    execution = means.ledger.load(execution_id)
    if not execution.serves or execution.ended_us is None:
        message = f"the rollback {execution.id[:12]!r} must be served before a metric can tell"
        raise RefusedError(Refusal.WRONG_STAGE, message)
    if window_start_us < execution.ended_us:
        message = (
            f"the window must begin after the rollback was served at {execution.ended_us} us, it "
            f"begins at {window_start_us} us; wait for the next whole window"
        )
        raise RefusedError(Refusal.WRONG_STAGE, message)
    body: Record = {
        "series": series,
        "slice": slice_,
        "window_start_us": window_start_us,
        "window_end_us": window_end_us,
    }
    kind = StepKind.METRIC_WITHIN if within else StepKind.METRIC_BEYOND
    step = Step(kind=kind, at_us=means.clock.now_us(), actor=MONITOR, body=body)
    means.ledger.save(execution, [step])
    return step
