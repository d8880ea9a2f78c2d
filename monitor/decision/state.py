"""The state of one monitored series, and the rule that moves it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, Final

import annotated_types as at

from baselines.summary import WindowKey
from monitor.incidents.records import from_record, to_record

__all__ = ["ALARMED", "MOVES", "DecisionRule", "SeriesKey", "SeriesState", "State"]

_VERSION = 1


class State(StrEnum):
    """Where a series stands after its latest window."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    RESOLVED = "resolved"
    INSUFFICIENT_DATA = "insufficient_data"
    CANNOT_SEE = "cannot_see"


ALARMED: Final = frozenset({State.FIRING, State.RECOVERING})
"""The states in which an incident rests on the series."""

_ANY_BUT_RESOLVED: Final = frozenset(
    {
        State.INACTIVE,
        State.PENDING,
        State.FIRING,
        State.INSUFFICIENT_DATA,
        State.CANNOT_SEE,
    }
)

MOVES: Final[Mapping[State, frozenset[State]]] = {
    State.INACTIVE: _ANY_BUT_RESOLVED,
    State.PENDING: frozenset({State.PENDING, State.FIRING, State.INACTIVE}),
    State.FIRING: frozenset({State.FIRING, State.RECOVERING, State.RESOLVED}),
    State.RECOVERING: frozenset({State.RECOVERING, State.FIRING, State.RESOLVED}),
    State.RESOLVED: _ANY_BUT_RESOLVED,
    State.INSUFFICIENT_DATA: _ANY_BUT_RESOLVED,
    State.CANNOT_SEE: _ANY_BUT_RESOLVED,
}
"""Every legal move, staying included.

A pending, firing or recovering series keeps its state through windows without evidence: only
windows within the tolerance take a suspicion or an alarm away.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRule:
    """How many consecutive windows it takes.

    Parameters
    ----------
    for_windows
        Windows beyond the tolerance until a series fires; before that it is pending.
    recover_windows
        Windows within the tolerance until a firing series counts as recovered.
    cannot_see_windows
        Windows that could not be seen until that itself becomes an incident.
    """

    for_windows: Annotated[int, at.Ge(1)] = 2
    recover_windows: Annotated[int, at.Ge(1)] = 3
    cannot_see_windows: Annotated[int, at.Ge(1)] = 3


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """Which series of a monitor, on which slice of its traffic."""

    series: str
    slice: str = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesState:
    """What is remembered of one series between windows.

    Parameters
    ----------
    state
        Where it stands.
    since
        The window in which it came to that state; None before the first window.
    n_beyond
        Windows beyond the tolerance since the onset of the present run.
    n_within
        Windows within the tolerance in a row; windows without evidence leave both counts.
    n_unseen
        Windows in a row that could not be seen; ended by evidence, not by scarce data.
    n_exposed
        Outputs that the present run of breaches concerns, those of the windows beyond.
    first_breach
        The first window of the present run beyond the tolerance, kept while firing.
    last_seen
        The latest window that was taken into account; an older one changes nothing.
    """

    state: State = State.INACTIVE
    since: WindowKey | None = None
    n_beyond: int = 0
    n_within: int = 0
    n_unseen: int = 0
    n_exposed: int = 0
    first_breach: WindowKey | None = None
    last_seen: WindowKey | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that names its version."""
        return {"version": _VERSION, **to_record(self)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "SeriesState":
        """Return the state that `to_json` wrote.

        Raises
        ------
        ValueError
            If another version wrote it.
        """
        if record.get("version") != _VERSION:
            message = (
                f"a series state must have version {_VERSION}, got {record.get('version')!r}; "
                "it was written by another outputwatch"
            )
            raise ValueError(message)
        return from_record(cls, {key: record[key] for key in record if key != "version"})

    def moved(self, state: State, key: WindowKey) -> "SeriesState":
        """Return the series in `state` as of the window `key`.

        Raises
        ------
        ValueError
            If `MOVES` has no such move.
        """
        if state is self.state and self.since is not None:
            return self
        if state not in MOVES[self.state]:
            message = f"a {self.state} series cannot become {state}"
            raise ValueError(message)
        return replace(self, state=state, since=key)
