"""Titles of incidents: readable by people who never saw the name of a series."""

from dataclasses import replace

import pytest

from baselines.summary import WindowKey
from detectors.base import Estimate, FailureMode
from monitor.incidents.observations import Observation, Signal, SignalIdentity, SignalKind
from monitor.incidents.suggestion import Axes, Suggestion, Tier
from monitor.incidents.wording import title_of

HEADLINE = "rate of refusal by language: es 26 % against fr 2.4 %"


def signal(
    headline: str = HEADLINE,
    *,
    slice_: str = "all",
    times: float | None = 2.31,
    kind: SignalKind = SignalKind.BREACH,
    series: str = "selection_rate_gap(refusal, language)",
) -> Signal:
    window = WindowKey(0, 86_400_000_000, slice_)
    departure = None if times is None else Estimate(times, times - 0.5, times + 0.5)
    observation = Observation(
        finding_id="f", window=window, departure=departure, headline=headline
    )
    return Signal(
        identity=SignalIdentity(
            system="assistant",
            environment="production",
            failure_mode=FailureMode.BIAS,
            series=series,
            slice=slice_,
            baseline_id="b",
            kind=kind,
        ),
        detector="selection_rate_gap",
        n_windows=1,
        first=observation,
        freshest=observation,
        worst=observation,
        suggestion=Suggestion(
            tier=Tier.SEV3,
            could_be=Tier.SEV3,
            axes=Axes(effect=1, reach=1, stakes=1, reversal=1, people=1),
            policy="p 1",
        ),
    )


def test_a_title_says_what_departed_and_how_far() -> None:
    assert title_of((signal(),)) == f"Bias: {HEADLINE}, 2.31 times the tolerance"


@pytest.mark.parametrize(
    ("slice_", "place"),
    [
        ("region=EU", " in region EU"),
        ("region=EU,plan=basic", " in region EU, plan basic"),
        ("region=Lisbon%2C PT", " in region Lisbon, PT"),
    ],
)
def test_a_title_says_on_which_slice(slice_: str, place: str) -> None:
    title = title_of((signal("income has no value in 12 % of outputs", slice_=slice_),))

    assert title == (
        f"Bias: income has no value in 12 % of outputs{place}, 2.31 times the tolerance"
    )


def test_a_title_counts_further_signals_where_there_is_room() -> None:
    short, long = signal("volume doubled"), signal(HEADLINE)
    other = replace(short, identity=replace(short.identity, series="z"))

    assert title_of((short, other)).endswith(", and 1 more signal")
    assert title_of((long, other)) == f"Bias: {HEADLINE}, 2.31 times the tolerance"


@pytest.mark.parametrize("slice_", ["all", f"region={'x' * 200}"])
@pytest.mark.parametrize("headline", ["a" * 500, "word " * 100, "x"])
@pytest.mark.parametrize("times", [None, 2.31, float("inf"), 1.23456e-7])
def test_a_title_is_one_short_line(headline: str, slice_: str, times: float | None) -> None:
    title = title_of((signal(headline, slice_=slice_, times=times),))

    assert len(title) < 100
    assert title.startswith("Bias: ")
    assert "\n" not in title


def test_what_cannot_be_seen_is_named() -> None:
    blind = signal("income", kind=SignalKind.CANNOT_SEE)

    assert title_of((blind,)) == "Bias: cannot see income"


def test_a_detector_without_words_is_called_by_its_series() -> None:
    title = title_of((signal(""),))

    assert title == "Bias: selection_rate_gap(refusal, language), 2.31 times the tolerance"
