"""The truth is matched with incidents by system, time and column."""

from baselines.summary import WindowKey
from detectors.base import FailureMode
from monitor.demo.outcome import compare_with_truth
from monitor.demo.scenario import PLANTED, Planted, at
from monitor.incidents.model import Incident, incident_id
from monitor.incidents.observations import Observation, Signal, SignalIdentity
from monitor.incidents.suggestion import Axes, Suggestion, Tier

SUGGESTION = Suggestion(
    tier=Tier.SEV3,
    could_be=Tier.SEV2,
    axes=Axes(effect=1, reach=1, stakes=1, reversal=1, people=0),
    policy="test/1",
)
GAP = next(planted for planted in PLANTED if planted.key == "age-60-approvals")


def incident(
    series: str, day: int, *, system: str = GAP.system, slice_name: str = "all"
) -> Incident:
    window = WindowKey(at(day), at(day + 1), slice_name)
    identity = SignalIdentity(
        system=system,
        environment="demo",
        failure_mode=FailureMode.BIAS,
        series=series,
        slice=slice_name,
        baseline_id="b",
    )
    seen = Observation(finding_id="f", window=window, sentence="the gap is large")
    signal = Signal(
        identity=identity,
        detector="d",
        n_windows=1,
        first=seen,
        freshest=seen,
        worst=seen,
        suggestion=SUGGESTION,
    )
    return Incident(
        id=incident_id(identity, window),
        system=system,
        environment="demo",
        failure_mode=FailureMode.BIAS,
        title="approvals of age_band 60+ fell",
        suggestion=SUGGESTION,
        could_be=Tier.SEV2,
        signals=(signal,),
        first_window=window,
        last_window=window,
        onset_us=window.start_us,
    )


def found(planted: Planted, *incidents: Incident) -> bool:
    return compare_with_truth([planted], incidents).n_found == 1


def test_a_series_over_a_planted_column_is_found() -> None:
    outcome = compare_with_truth([GAP], [incident("selection_rate_gap(decision, age_band)", 24)])

    assert outcome.n_found == 1
    assert outcome.planted[0].first_us == at(24)
    assert outcome.unexplained == ()


def test_the_day_before_does_not_count() -> None:
    early = incident("selection_rate_gap(decision, age_band)", 23)

    outcome = compare_with_truth([GAP], [early])

    assert outcome.n_found == 0
    assert outcome.unexplained == ((early, early.signals[0]),)


def test_another_column_or_another_system_is_a_false_alarm() -> None:
    assert not found(GAP, incident("distribution_shift(amount)", 25))
    assert not found(GAP, incident("distribution_shift(my_decision)", 25))
    assert not found(GAP, incident("distribution_shift(score)", 25, system="other"))


def test_a_filter_explains_the_series_of_its_categories() -> None:
    dead = next(planted for planted in PLANTED if planted.key == "dead-output-filter")
    series = "check_trigger_rate(output/moderation/violence)"

    assert found(dead, incident(series, 27, system=dead.system))
    assert not found(
        dead, incident("check_trigger_rate(input/prompt_shield/violence)", 27, system=dead.system)
    )


def test_planted_incidents_are_listed_in_order_of_time() -> None:
    outcome = compare_with_truth(PLANTED, [])

    starts = [recovered.planted.start_us for recovered in outcome.planted]

    assert starts == sorted(starts)
    assert not any(recovered.found for recovered in outcome.planted)
