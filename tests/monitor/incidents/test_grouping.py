import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.summary import WindowKey
from detectors.base import Estimate, FailureMode, Finding, Verdict
from monitor.incidents.breaches import Breach, GroupingRules, Recovery
from monitor.incidents.grouping import Changes, apply
from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalIdentity, SignalKind, observation_of
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Axes, Suggestion, Tier
from monitor.incidents.timeline import EntryKind

HOUR = 3_600_000_000
RULES = GroupingRules(group_windows=2, reopen_seconds=6 * 3_600)
AXES = Axes(effect=1, reach=1, stakes=1, reversal=1, people=1)


def breach(
    series: str,
    hour: int = 0,
    *,
    slice_: str = "all",
    mode: FailureMode = FailureMode.BEHAVIOURAL,
    size: float = 2.0,
    tier: Tier = Tier.SEV3,
    could_be: Tier | None = None,
    inhibited_by: tuple[str, ...] = (),
    release: str | None = None,
    environment: str = "production",
    kind: SignalKind = SignalKind.BREACH,
) -> Breach:
    finding = Finding(
        detector=series.partition("(")[0],
        series=series,
        failure_mode=mode,
        verdict=Verdict.BEYOND,
        departure=Estimate(size + 0.5, size, size + 1),
        n_rows=100,
        sentence=f"{series} moved",
    )
    window = WindowKey(hour * HOUR, (hour + 1) * HOUR, slice_)
    return Breach(
        identity=SignalIdentity(
            system="loans",
            environment=environment,
            failure_mode=mode,
            series=series,
            slice=slice_,
            baseline_id="b1",
            kind=kind,
        ),
        detector=finding.detector,
        observation=observation_of(finding, finding_id=f"{series}@{hour}", window=window),
        suggestion=Suggestion(
            tier=tier, could_be=could_be or tier, axes=AXES, reasons=("why",), policy="p 1"
        ),
        onset_us=hour * HOUR,
        inhibited_by=inhibited_by,
        release=release,
    )


class Record:
    """Incidents as a store would hold them, without the store."""

    def __init__(self) -> None:
        self.incidents: dict[str, Incident] = {}
        self.kinds: list[EntryKind] = []

    def apply(self, *breaches: Breach, recoveries: Sequence[Recovery] = ()) -> Changes:
        changes = apply(
            tuple(self.incidents.values()),
            breaches,
            recoveries=recoveries,
            rules=RULES,
            known_us=0,
        )
        self.incidents.update({each.id: each for each in changes.incidents})
        self.kinds.extend(e.kind for entries in changes.entries.values() for e in entries)
        return changes

    def one(self) -> Incident:
        (incident,) = self.incidents.values()
        return incident


def recovery(of: Breach, hour: int) -> Recovery:
    window = WindowKey(hour * HOUR, (hour + 1) * HOUR, of.identity.slice)
    return Recovery(of.identity.fingerprint, window)


def test_twelve_breaching_slices_are_one_incident_with_twelve_signals() -> None:
    record = Record()

    changes = record.apply(*(breach("psi(x)", slice_=f"region={n}") for n in range(12)))

    assert len(changes.opened) == 1
    assert len(record.one().signals) == 12
    assert record.one().state is IncidentState.CANDIDATE
    assert record.one().title.endswith("and 11 more signals")


def test_a_slice_and_all_traffic_belong_together() -> None:
    record = Record()

    record.apply(breach("psi(x)", slice_="language=en,region=EU"), breach("psi(x)"))

    assert len(record.incidents) == 1


def test_slices_without_a_common_column_are_apart() -> None:
    record = Record()

    record.apply(breach("psi(x)", slice_="region=EU"), breach("psi(x)", slice_="language=en"))

    assert len(record.incidents) == 2


def test_two_environments_are_never_one_incident() -> None:
    record = Record()

    record.apply(breach("psi(x)"), breach("psi(x)", environment="staging"))

    assert len(record.incidents) == 2


def test_the_same_new_release_joins_what_the_slices_would_keep_apart() -> None:
    record = Record()

    record.apply(breach("psi(x)", slice_="region=EU", release="v2"))
    record.apply(breach("psi(x)", 9, slice_="language=en", release="v2"))

    assert len(record.incidents) == 1
    assert record.one().releases == ("v2",)


@pytest.mark.parametrize(("hours_later", "n_incidents"), [(1, 1), (2, 1), (3, 2)])
def test_a_new_signal_joins_only_within_the_group_windows(
    hours_later: int, n_incidents: int
) -> None:
    record = Record()
    record.apply(breach("psi(x)"))

    record.apply(breach("psi(y)", hours_later))

    assert len(record.incidents) == n_incidents


@pytest.mark.parametrize("slices", [("all", "language=en"), ("language=en", "all")])
def test_a_series_on_a_slice_and_on_all_traffic_is_one_incident_however_late(
    slices: tuple[str, str],
) -> None:
    record = Record()
    record.apply(breach("psi(x)", slice_=slices[0]))

    record.apply(breach("psi(x)", 9, slice_=slices[1]), breach("psi(y)", 9))

    first, second = sorted(record.incidents.values(), key=lambda each: each.first_window)
    assert [signal.identity.slice for signal in first.signals] == list(slices)
    assert [signal.identity.series for signal in second.signals] == ["psi(y)"]


def test_a_repeat_counts_and_keeps_the_freshest_and_the_worst() -> None:
    record = Record()
    record.apply(breach("psi(x)", 0, size=2))
    record.apply(breach("psi(x)", 1, size=4))
    record.apply(breach("psi(x)", 9, size=3))

    (signal,) = record.one().signals

    assert signal.n_windows == 3
    assert signal.first.window.start_us == 0
    assert signal.worst.size == 4
    assert signal.freshest.size == 3
    assert record.one().version == 3


def test_a_window_that_was_applied_changes_nothing() -> None:
    record = Record()
    window = [breach("psi(x)"), breach("missing_rate(y)")]
    window.append(breach("psi(y)", inhibited_by=("missing_rate(y)",)))
    record.apply(*window)

    again = record.apply(*window)

    assert again.incidents == ()
    assert again.entries == {}


def test_a_milder_window_never_lowers_the_suggestion() -> None:
    record = Record()
    record.apply(breach("psi(x)", 0, tier=Tier.SEV2, could_be=Tier.SEV1))
    record.apply(breach("psi(x)", 1, tier=Tier.SEV4, could_be=Tier.SEV4))

    assert record.one().suggestion.tier is Tier.SEV2
    assert record.one().could_be is Tier.SEV1
    assert record.kinds == [EntryKind.OPENED, EntryKind.EVIDENCE_FROZEN]


def test_a_worse_window_raises_the_suggestion_and_says_so() -> None:
    record = Record()
    record.apply(breach("psi(x)", 0, tier=Tier.SEV3))
    record.apply(breach("psi(x)", 1, tier=Tier.SEV1))

    assert record.one().tier is Tier.SEV1
    assert record.kinds[2:] == [EntryKind.SUGGESTION_RAISED]


def test_the_most_severe_signal_names_the_incident() -> None:
    record = Record()

    record.apply(
        breach("psi(x)", tier=Tier.SEV3, size=9),
        breach("gap(x)", mode=FailureMode.BIAS, tier=Tier.SEV2),
        breach("rate(x)", mode=FailureMode.SAFETY, tier=Tier.SEV2),
        breach("auc(x)", mode=FailureMode.PERFORMANCE, tier=Tier.SEV2),
    )

    assert record.one().failure_mode is FailureMode.SAFETY
    assert record.one().title.startswith("Safety: rate(x), 2.5 times the tolerance")


def test_broken_input_is_the_incident_and_its_effects_are_listed() -> None:
    record = Record()

    record.apply(
        breach("psi(y)", inhibited_by=("missing_rate(y)",), tier=Tier.SEV1),
        breach("missing_rate(y)", tier=Tier.SEV3),
    )

    incident = record.one()
    assert [s.identity.series for s in incident.own_signals] == ["missing_rate(y)"]
    assert [s.identity.series for s in incident.inhibited_signals] == ["psi(y)"]
    assert incident.suggestion.tier is Tier.SEV3


def test_an_inhibited_series_becomes_a_signal_when_its_cause_is_gone() -> None:
    record = Record()
    record.apply(breach("missing_rate(y)"), breach("psi(y)", inhibited_by=("missing_rate(y)",)))

    record.apply(breach("psi(y)", 1))

    assert len(record.one().own_signals) == 2


def test_a_breach_whose_cause_has_no_incident_is_not_lost() -> None:
    record = Record()

    changes = record.apply(breach("psi(y)", inhibited_by=("missing_rate(y)",)))

    assert len(changes.opened) == 1


def test_resolution_is_proposed_only_when_every_signal_is_back() -> None:
    record = Record()
    first, second = breach("psi(x)"), breach("psi(y)")
    record.apply(first, second)

    record.apply(recoveries=[recovery(first, 1)])
    half = record.one()
    record.apply(recoveries=[recovery(second, 2)])

    assert half.resolution_proposed is None
    assert record.one().resolution_proposed == WindowKey(2 * HOUR, 3 * HOUR)
    assert record.one().state is IncidentState.CANDIDATE
    assert record.kinds[-1] is EntryKind.RESOLUTION_PROPOSED


def test_a_breach_after_the_proposal_withdraws_it() -> None:
    record = Record()
    first = breach("psi(x)")
    record.apply(first)
    record.apply(recoveries=[recovery(first, 1)])

    record.apply(breach("psi(x)", 2))

    assert record.one().resolution_proposed is None
    assert EntryKind.RESOLUTION_WITHDRAWN in record.kinds


def test_a_change_long_after_every_signal_was_back_is_a_linked_recurrence() -> None:
    # Nobody has resolved the first one yet: that it is forgotten must not stretch it.
    record = Record()
    first = breach("psi(x)", 10)
    record.apply(first)
    record.apply(recoveries=[recovery(first, 12)])
    before = record.one()

    changes = record.apply(breach("psi(x)", 280))

    (new_id,) = changes.opened
    new, old = record.incidents[new_id], record.incidents[before.id]
    assert new.recurrence_of == before.id
    assert new.onset_us == 280 * HOUR
    assert old == before
    assert EntryKind.RESOLUTION_WITHDRAWN not in record.kinds


def test_what_follows_a_recurrence_belongs_to_it() -> None:
    record = Record()
    first, other = breach("psi(x)", 10), breach("psi(y)", 10)
    record.apply(first, other)
    record.apply(recoveries=[recovery(first, 12), recovery(other, 12)])
    before = record.one()
    record.apply(breach("psi(x)", 280))

    record.apply(breach("psi(x)", 281), breach("psi(y)", 281), breach("psi(x)", 281, slice_="a=b"))
    record.apply(recoveries=[recovery(first, 290)])

    (new,) = [each for each in record.incidents.values() if each.id != before.id]
    signals = {(each.identity.series, each.identity.slice): each for each in new.signals}
    assert signals.keys() == {("psi(x)", "all"), ("psi(y)", "all"), ("psi(x)", "a=b")}
    assert signals["psi(x)", "all"].n_windows == 2
    assert signals["psi(x)", "all"].recovered
    assert record.incidents[before.id] == before


def test_the_same_windows_again_make_no_second_recurrence() -> None:
    record = Record()
    steps = [breach("psi(x)", 10), recovery(breach("psi(x)", 10), 12), breach("psi(x)", 280)]

    def play() -> None:
        for step in steps:
            if isinstance(step, Recovery):
                record.apply(recoveries=[step])
            else:
                record.apply(step)

    play()
    before = dict(record.incidents)
    play()

    assert record.incidents == before
    assert len(before) == 2


def test_a_signal_that_comes_back_while_others_last_tells_its_new_onset() -> None:
    record = Record()
    first, other = breach("psi(x)", 10), breach("psi(y)", 10)
    record.apply(first, other)
    record.apply(recoveries=[recovery(first, 12)])

    changes = record.apply(breach("psi(x)", 280), breach("psi(y)", 280))

    (entry,) = changes.entries[record.one().id]
    assert entry.kind is EntryKind.SIGNAL_RECURRED
    assert entry.body["onset_us"] == 280 * HOUR
    assert entry.body["series"] == "psi(x)"


def resolved(record: Record, at_hour: int) -> Incident:
    incident = replace(record.one(), state=IncidentState.RESOLVED, resolved_us=at_hour * HOUR)
    record.incidents[incident.id] = incident
    return incident


def test_a_breach_soon_after_resolution_reopens_the_incident() -> None:
    record = Record()
    record.apply(breach("psi(x)"))
    before = resolved(record, at_hour=2)

    changes = record.apply(breach("psi(x)", 5), breach("psi(y)", 5))

    assert changes.reopened == (before.id,)
    assert changes.opened == ()
    assert record.one().state is IncidentState.OPEN
    assert record.one().resolved_us is None
    assert len(record.one().signals) == 2


def test_a_breach_long_after_resolution_is_a_linked_recurrence() -> None:
    record = Record()
    record.apply(breach("psi(x)"))
    before = resolved(record, at_hour=2)

    changes = record.apply(breach("psi(x)", 30))

    (new_id,) = changes.opened
    assert record.incidents[new_id].recurrence_of == before.id


def test_not_seeing_is_an_incident_of_its_own() -> None:
    record = Record()

    record.apply(breach("psi(x)"), breach("psi(y)", kind=SignalKind.CANNOT_SEE))

    titles = sorted(incident.title for incident in record.incidents.values())
    assert titles[1] == "Behavioural: psi(x), 2.5 times the tolerance"
    assert titles[0] == "Behavioural: cannot see psi(y)"


def test_ids_do_not_depend_on_size_severity_or_the_clock() -> None:
    small, large = Record(), Record()

    small.apply(breach("psi(x)", size=1.1, tier=Tier.SEV4))
    large.apply(breach("psi(x)", size=9, tier=Tier.SEV1))

    assert set(small.incidents) == set(large.incidents)


names = st.sampled_from(["psi(a)", "psi(b)", "missing_rate(a)", "rate(c)"])
slices = st.sampled_from(["all", "region=EU", "region=US", "language=en"])
windows = st.lists(
    st.lists(
        st.builds(
            lambda series, slice_, tier, cause: (series, slice_, tier, cause),
            names,
            slices,
            st.sampled_from(Tier),
            st.booleans(),
        ),
        max_size=8,
        unique_by=lambda row: (row[0], row[1]),
    ),
    max_size=6,
)


@settings(max_examples=80, deadline=None)
@given(windows=windows, seed=st.integers(0, 99))
def test_the_order_of_the_series_within_a_window_does_not_matter(
    windows: list[list[tuple[str, str, Tier, bool]]], seed: int
) -> None:
    rng = random.Random(seed)
    straight, shuffled = Record(), Record()

    for hour, rows in enumerate(windows):
        breaches = [
            breach(
                series,
                hour,
                slice_=slice_,
                tier=tier,
                inhibited_by=("missing_rate(a)",) if cause and series == "psi(a)" else (),
            )
            for series, slice_, tier, cause in rows
        ]
        first = straight.apply(*breaches)
        second = shuffled.apply(*rng.sample(breaches, len(breaches)))

        assert first == second
    assert straight.incidents == shuffled.incidents
