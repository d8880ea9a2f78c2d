"""Which incidents of two policies are about the same change."""

from baselines.summary import WindowKey
from detectors.base import FailureMode
from monitor.engine.incident_desk import IncidentShelf
from monitor.engine.incident_pairs import paired
from monitor.engine.unstored_incidents import UnstoredIncidents
from monitor.incidents.grouping import Changes
from monitor.incidents.model import Incident
from monitor.incidents.observations import Observation, Signal, SignalIdentity
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier
from monitor.severity.assessment import cannot_see_suggestion
from monitor.severity.register import SystemRegister
from monitor.severity.scoring import FiveAxes

DAY = 86_400_000_000
SUGGESTION = cannot_see_suggestion(
    FiveAxes(), register=SystemRegister(name="loans"), unseen_days=1
)


def key(day: int, slice_: str = "all") -> WindowKey:
    return WindowKey(day * DAY, (day + 1) * DAY, slice_)


def incident(
    days: tuple[int, int], *series: str, slice_: str = "all", proposed: bool = False
) -> Incident:
    first, last = (Observation(finding_id="f", window=key(day, slice_)) for day in days)
    signals = tuple(
        Signal(
            identity=SignalIdentity(
                system="loans",
                environment="production",
                failure_mode=FailureMode.BEHAVIOURAL,
                series=each,
                slice=slice_,
                baseline_id="b",
            ),
            detector="rate_change",
            n_windows=1,
            first=first,
            freshest=last,
            worst=last,
            suggestion=SUGGESTION,
        )
        for each in series
    )
    return Incident(
        id=f"{series}{days}{slice_}",
        system="loans",
        environment="production",
        failure_mode=FailureMode.BEHAVIOURAL,
        title="moved",
        suggestion=SUGGESTION,
        could_be=Tier.SEV1,
        signals=signals,
        first_window=first.window,
        last_window=last.window,
        onset_us=first.window.start_us,
        resolution_proposed=last.window if proposed else None,
    )


def shape(*sides: list[Incident], **names: dict[str, str]) -> list[tuple[int, int]]:
    old, new = sides
    pairs = paired(old, new, names.get("old", {}), names.get("new", {}))
    return [(len(pair.old), len(pair.new)) for pair in pairs]


def test_incidents_with_a_signal_in_common_at_one_time_are_one_change() -> None:
    assert shape([incident((5, 9), "a", "b")], [incident((7, 12), "b")]) == [(1, 1)]


def test_the_same_series_at_another_time_is_another_change() -> None:
    old, new = [incident((5, 9), "a"), incident((40, 45), "a")], [incident((41, 43), "a")]

    assert shape(old, new) == [(1, 0), (1, 1)]


def test_another_slice_or_series_is_another_change() -> None:
    new = [incident((5, 9), "b"), incident((5, 9), "a", slice_="plan=free")]

    assert shape([incident((5, 9), "a")], new) == [(1, 0), (0, 1), (0, 1)]


def test_one_incident_may_cover_several_of_the_other_policy() -> None:
    new = [incident((5, 6), "a"), incident((8, 9), "b"), incident((8, 9), "c")]

    assert shape([incident((5, 9), "a", "b")], new) == [(1, 2), (0, 1)]


def test_a_series_is_known_again_under_another_name() -> None:
    old, new = [incident((5, 9), "a")], [incident((5, 9), "a [strict]")]

    assert shape(old, new, new={"a [strict]": "a"}) == [(1, 1)]
    assert sorted(shape(old, new)) == [(0, 1), (1, 0)]


def test_a_proposal_to_resolve_is_accepted_at_once_where_nothing_is_stored() -> None:
    shelf: IncidentShelf = UnstoredIncidents()
    lasting, over = incident((5, 9), "a"), incident((5, 9), "b", proposed=True)

    kept = shelf.apply(Changes(incidents=(lasting, over), entries={}), recorded_us=0)

    assert kept[0] == lasting
    assert (kept[1].state, kept[1].resolved_us) == (IncidentState.RESOLVED, 10 * DAY)
    assert shelf.active() == ()
