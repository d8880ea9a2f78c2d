"""See whether what was switched is served: the plane and the serving path, several times."""

from collections.abc import Callable
from dataclasses import dataclass

from monitor.incidents.records import Record
from monitor.rollbacks.errors import RollbackError
from monitor.rollbacks.execution import DryRun, EndState, Outcome
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import RollbackPlan

__all__ = ["Sight", "judged", "look", "watch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one read of plane and serving path showed.

    Parameters
    ----------
    plane, serving
        What each of them showed; None if it could not be read.
    trouble
        Why one of them could not be read; empty if both could.
    """

    plane: str | None
    serving: str | None
    trouble: str = ""

    def matches(self, shown: DryRun) -> bool:
        """Return whether both show the target."""
        return self.plane == shown.to_value and self.serving == shown.serving

    def record(self) -> Record:
        """Return it as JSON."""
        return {"plane": self.plane, "serving": self.serving, "trouble": self.trouble}


def look(plan: RollbackPlan) -> Sight:
    """Return what plane and serving path show now."""
    plane = serving = None
    troubles = []
    try:
        plane = plan.adapter.observe().value
    except RollbackError as error:
        troubles.append(str(error))
    try:
        serving = plan.probe.read()
    except RollbackError as error:
        troubles.append(str(error))
    return Sight(plane=plane, serving=serving, trouble="; ".join(troubles))


def watch(
    means: Means,
    plan: RollbackPlan,
    shown: DryRun,
    *,
    since_us: int,
    deadline_us: int,
    saw: Callable[[Sight, bool], None],
) -> tuple[bool, Sight]:
    """Look until the target was seen often enough, or the time is up.

    Parameters
    ----------
    since_us
        When it was switched: the last read must be later than that by what caches live.
    saw
        Is told every sight, and whether it differs from the one before.

    Returns
    -------
    tuple of bool and Sight
        Whether the target is served, and what was seen last.
    """
    options = plan.options.verification
    fresh_us = since_us + int(options.cache_seconds * 1_000_000)
    matching, before = 0, None
    while True:
        sight = look(plan)
        saw(sight, sight != before)
        before = sight
        matching = matching + 1 if sight.matches(shown) else 0
        now_us = means.clock.now_us()
        if matching >= options.reads and now_us >= fresh_us:
            return True, sight
        if now_us >= deadline_us:
            return False, sight
        means.wait(options.interval_seconds)


def judged(shown: DryRun, outcome: Outcome, seen: bool, sight: Sight) -> tuple[EndState, str]:
    """Return how an execution ends after it was watched, and why in a sentence."""
    if seen:
        if outcome is Outcome.NOT_SENT:
            return EndState.ALREADY_THERE, f"{shown.serving!r} was served already"
        return EndState.VERIFIED, f"{shown.serving!r} is served"
    trouble = f" ({sight.trouble})" if sight.trouble else ""
    if sight.plane == shown.to_value or outcome is Outcome.NOT_SENT:
        return EndState.APPLIED_NOT_SERVING, (
            f"the plane is at {shown.to_value!r}, but the serving path must show "
            f"{shown.serving!r} and shows {sight.serving!r}{trouble}; reload what serves"
        )
    if sight.plane is None:
        return EndState.APPLIED_NOT_SERVING, (
            f"the plane could not be read after the switch was sent{trouble}: whether it was "
            "made is not known; look at the plane"
        )
    if sight.plane == shown.from_value:
        return EndState.FAILED, (
            f"the plane is still at {shown.from_value!r}; the switch was sent once and is not "
            "sent again: a slow plane may still make it"
        )
    return EndState.FAILED, (
        f"the plane is at {sight.plane!r}, neither where it was nor where it should be: somebody "
        "else switched it"
    )
