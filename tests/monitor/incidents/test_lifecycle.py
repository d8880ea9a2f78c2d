import itertools
from dataclasses import replace
from typing import Any

import pytest

from baselines.summary import WindowKey
from detectors.base import FailureMode
from monitor.incidents.acts.base import Occasion
from monitor.incidents.acts.deciding import DecideSeverity, StateFact, WithdrawFact
from monitor.incidents.acts.merging import merge
from monitor.incidents.acts.moving import BACK, FORWARD, Move
from monitor.incidents.acts.opening import Report, opened
from monitor.incidents.acts.organizing import Assign, HandOver, Relate, Snooze
from monitor.incidents.acts.recording import WRITTEN, Correct, OpenEvidence, WriteDown
from monitor.incidents.awareness import AwarenessKind, awareness
from monitor.incidents.breaches import Recovery
from monitor.incidents.facts import Fact
from monitor.incidents.lifecycle import perform
from monitor.incidents.model import Incident
from monitor.incidents.rights import RIGHTS, Decision
from monitor.incidents.roles import (
    REQUIRED_ROLES,
    People,
    Person,
    RefusedActError,
    Role,
    RoleHolder,
)
from monitor.incidents.states import IncidentState, LinkKind
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import EntryKind, broken_links
from monitor.severity.scoring import FiveAxes

S = IncidentState
POLICY = FiveAxes()
HOUR = 3_600_000_000
NOW = 1_000 * HOUR
LEGAL = Person(name="bob", role=Role.LEGAL)
EVERYBODY = tuple(RoleHolder(role=role, name="ada") for role in REQUIRED_ROLES)


@pytest.fixture
def incident(desk: Any, breach: Any) -> Incident:
    seen: Incident = desk.see(breach())
    return seen


def role_for(to: IncidentState) -> Role:
    if to in {S.OPEN, S.ACKNOWLEDGED, S.DISMISSED}:
        return Role.ON_CALL
    return Role.COMMANDER


@pytest.mark.parametrize(("state", "to"), [*itertools.product(S, S)])
def test_only_moves_of_the_table_are_made(
    incident: Incident, occasion: Any, state: IncidentState, to: IncidentState
) -> None:
    here = replace(
        incident, state=state, roles=EVERYBODY, confirmed=Tier.SEV3, merged_into="other"
    )
    act = Move(to=to, without_evidence=True)
    on = occasion(role=role_for(to))

    if to in (*FORWARD[state], *BACK[state]):
        changes = perform(here, act, on)
        (entry,) = changes.entries[here.id]
        assert changes.incidents[0].state is to
        assert changes.incidents[0].version == here.version + 1
        assert (entry.kind is EntryKind.MOVED_BACK) == (to in BACK[state])
        assert (entry.body["from"], entry.body["to"]) == (state.value, to.value)
    else:
        with pytest.raises(RefusedActError):
            perform(here, act, on)


def test_a_refused_move_says_where_one_can_go(incident: Incident, occasion: Any) -> None:
    with pytest.raises(RefusedActError, match="can go to: open, acknowledged, dismissed"):
        perform(incident, Move(to=S.RESOLVED), occasion())


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_move_needs_a_reason(incident: Incident, occasion: Any, reason: str) -> None:
    with pytest.raises(RefusedActError, match="needs a reason"):
        perform(incident, Move(to=S.OPEN), occasion(reason=reason))


def test_an_entry_tells_who_in_which_role_why_and_when(incident: Incident, occasion: Any) -> None:
    on = occasion(occurred_us=NOW - 5, known_us=NOW - 3)

    (entry,) = perform(incident, Move(to=S.OPEN), on).entries[incident.id]

    assert (entry.actor, entry.role, entry.body["reason"]) == ("ada", "commander", "because")
    assert (entry.occurred_us, entry.known_us) == (NOW - 5, NOW - 3)
    assert entry.confidence.value == "stated"


@pytest.mark.parametrize(
    "times", [{"known_us": NOW + 1}, {"occurred_us": NOW}, {"occurred_us": NOW + 1}]
)
def test_nothing_is_known_before_it_happens_or_after_it_is_written(
    incident: Incident, occasion: Any, times: dict[str, int]
) -> None:
    times = {"known_us": NOW - 1, **times}

    with pytest.raises(RefusedActError, match="written down last"):
        perform(incident, WriteDown(text="x"), occasion(**times))


def resolving(incident: Incident, **options: Any) -> Incident:
    return replace(incident, state=S.MONITORING, **{"roles": EVERYBODY, **options})


def test_it_is_resolved_only_on_evidence_or_on_somebodys_word(
    incident: Incident, occasion: Any
) -> None:
    with pytest.raises(RefusedActError, match=r"psi\(x\) without such evidence"):
        perform(resolving(incident), Move(to=S.RESOLVED), occasion())

    (entry,) = perform(
        resolving(incident), Move(to=S.RESOLVED, without_evidence=True), occasion()
    ).entries[incident.id]
    assert entry.body["without_evidence"] is True
    assert entry.body["reason"] == "because"


def test_the_windows_that_show_it_are_written_down(
    desk: Any, incident: Incident, breach: Any, occasion: Any
) -> None:
    fingerprint = breach().identity.fingerprint
    back = desk.see(recoveries=[Recovery(fingerprint, WindowKey(3 * HOUR, 4 * HOUR))])

    changes = perform(resolving(back), Move(to=S.RESOLVED), occasion())

    (entry,) = changes.entries[incident.id]
    assert entry.body["evidence"]["back_in"]["end_us"] == 4 * HOUR
    assert entry.body["evidence"]["signals"][0]["series"] == "psi(x)"
    assert changes.incidents[0].resolved_us == NOW


@pytest.mark.parametrize("missing", REQUIRED_ROLES)
@pytest.mark.parametrize("tier", [Tier.SEV1, Tier.SEV2])
def test_a_grave_incident_is_not_resolved_while_a_role_is_unfilled(
    incident: Incident, occasion: Any, missing: Role, tier: Tier
) -> None:
    roles = tuple(each for each in EVERYBODY if each.role is not missing)
    here = resolving(incident, roles=roles, confirmed=tier)

    with pytest.raises(RefusedActError, match=f"missing {missing.value}"):
        perform(here, Move(to=S.RESOLVED, without_evidence=True), occasion())


def test_a_mild_incident_needs_no_full_table(incident: Incident, occasion: Any) -> None:
    here = resolving(incident, roles=(), confirmed=Tier.SEV3)

    changes = perform(here, Move(to=S.RESOLVED, without_evidence=True), occasion())

    assert changes.incidents[0].state is S.RESOLVED


def test_a_grave_incident_is_closed_only_after_its_review(
    incident: Incident, occasion: Any
) -> None:
    here = replace(incident, state=S.RESOLVED, confirmed=Tier.SEV1, resolved_us=5)
    on = occasion(second=Person(name="bob", role=Role.OWNER))

    with pytest.raises(RefusedActError, match="closed after its review"):
        perform(here, Move(to=S.CLOSED), on)
    (reviewed,) = perform(here, Move(to=S.IN_REVIEW), on).incidents
    (closed,) = perform(reviewed, Move(to=S.CLOSED), on).incidents

    assert (closed.state, closed.resolved_us) == (S.CLOSED, 5)


def test_a_grave_candidate_is_dismissed_by_two(incident: Incident, occasion: Any) -> None:
    on = occasion(name="eve", role=Role.ON_CALL)

    with pytest.raises(RefusedActError, match="second person"):
        perform(incident, Move(to=S.DISMISSED), on)

    second = Person(name="ada", role=Role.COMMANDER)
    (gone,) = perform(incident, Move(to=S.DISMISSED), replace(on, second=second)).incidents
    assert gone.state is S.DISMISSED


def test_going_back_forgets_that_it_was_resolved(incident: Incident, occasion: Any) -> None:
    here = replace(incident, state=S.IN_REVIEW, resolved_us=5, confirmed=Tier.SEV3)

    (back,) = perform(here, Move(to=S.OPEN), occasion()).incidents

    assert back.resolved_us is None


def test_both_tiers_and_the_difference_are_written_down(
    desk: Any, incident: Incident, occasion: Any
) -> None:
    on = occasion(second=LEGAL)

    changes = perform(incident, DecideSeverity(tier=Tier.SEV4), on)

    (entry,) = changes.entries[incident.id]
    told = {key: entry.body[key] for key in ("suggested", "decided", "difference", "before")}
    assert told == {"suggested": "SEV2", "decided": "SEV4", "difference": 2, "before": "SEV2"}
    assert entry.body["second"] == {"name": "bob", "role": "legal"}
    assert entry.body["evidence_opened"] is False
    assert (changes.incidents[0].tier, changes.incidents[0].suggested) == (Tier.SEV4, Tier.SEV2)


def test_it_is_noted_whether_the_one_who_decides_had_looked(
    desk: Any, incident: Incident, occasion: Any
) -> None:
    desk.keep(perform(incident, OpenEvidence(), occasion()))
    timeline = desk.timeline(incident)

    decided = {
        name: perform(
            incident, DecideSeverity(tier=Tier.SEV1), occasion(name=name, timeline=timeline)
        ).entries[incident.id][0]
        for name in ("ada", "bob")
    }

    assert decided["ada"].body["evidence_opened"] is True
    assert decided["bob"].body["evidence_opened"] is False


@pytest.mark.parametrize("fact", Fact)
@pytest.mark.parametrize("role", Role)
def test_a_fact_lifts_if_an_entitled_role_states_it(
    incident: Incident, occasion: Any, fact: Fact, role: Role
) -> None:
    mild = replace(incident, confirmed=Tier.SEV4)
    act = StateFact(fact=fact, floors=POLICY.floors, entitled=POLICY.entitled)
    on = occasion(role=role)

    if role not in POLICY.entitled[fact]:
        with pytest.raises(RefusedActError, match="is stated by"):
            perform(mild, act, on)
        return
    changes = perform(mild, act, on)

    (after,) = changes.incidents
    assert after.tier is POLICY.floors[fact]
    assert after.has_floor
    assert changes.entries[incident.id][0].body["after"] == POLICY.floors[fact].value


def test_a_tier_below_a_stated_fact_is_refused_until_the_fact_is_withdrawn(
    incident: Incident, occasion: Any
) -> None:
    fact = StateFact(fact=Fact.HARM_LINKED, floors=POLICY.floors, entitled=POLICY.entitled)
    (lifted,) = perform(incident, fact, occasion()).incidents
    lower = DecideSeverity(tier=Tier.SEV2)

    with pytest.raises(RefusedActError, match="withdraw the fact first"):
        perform(lifted, lower, occasion(second=LEGAL))
    with pytest.raises(RefusedActError, match="second person"):
        perform(lifted, WithdrawFact(fact=Fact.HARM_LINKED), occasion())
    with pytest.raises(RefusedActError, match="stated already"):
        perform(lifted, fact, occasion())

    (withdrawn,) = perform(
        lifted, WithdrawFact(fact=Fact.HARM_LINKED), occasion(second=LEGAL)
    ).incidents
    assert withdrawn.tier is Tier.SEV2


def test_a_fact_that_nobody_stated_cannot_be_withdrawn(incident: Incident, occasion: Any) -> None:
    with pytest.raises(RefusedActError, match="must have been stated"):
        perform(incident, WithdrawFact(fact=Fact.HARM_LINKED), occasion())


@pytest.mark.parametrize("kind", WRITTEN)
def test_people_write_in_their_own_words(
    incident: Incident, occasion: Any, kind: EntryKind
) -> None:
    right = RIGHTS[WRITTEN[kind]]
    on = occasion(
        role=min(right.deciders),
        second=Person(name="zoe", role=min(right.seconds)) if right.seconds else None,
    )

    changes = perform(incident, WriteDown(kind=kind, text="called the vendor"), on)

    assert changes.incidents == ()
    assert changes.entries[incident.id][0].body["text"] == "called the vendor"


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (WriteDown(text=" "), "needs words"),
        (WriteDown(kind=EntryKind.RESOLVED, text="done"), "by its own act only"),
        (Correct(seq=9, text="x"), "got number 9"),
        (Correct(seq=1, text="x", withdrawn=True), "is not taken back"),
        (Snooze(until_us=NOW), "must end in the future"),
        (HandOver(role=Role.LEGAL, name="bob", standing=" "), "where things stand"),
    ],
)
def test_what_says_nothing_or_too_much_is_refused(
    desk: Any, incident: Incident, occasion: Any, act: Any, words: str
) -> None:
    with pytest.raises(RefusedActError, match=words):
        perform(incident, act, occasion(timeline=desk.timeline(incident)))


def test_roles_are_filled_once_and_handed_over_with_words(
    incident: Incident, occasion: Any
) -> None:
    (assigned,) = perform(incident, Assign(role=Role.COMMANDER, name="ada"), occasion()).incidents
    with pytest.raises(RefusedActError, match="must be free"):
        perform(assigned, Assign(role=Role.COMMANDER, name="eve"), occasion())

    act = HandOver(role=Role.COMMANDER, name="eve", standing="contained, watch the refusals")
    with pytest.raises(RefusedActError, match="is handed over by 'ada'"):
        perform(assigned, act, occasion(name="mallory", role=Role.SCRIBE))
    changes = perform(assigned, act, occasion())

    assert changes.incidents[0].holder(Role.COMMANDER) == "eve"
    assert changes.entries[incident.id][0].body["text"] == "contained, watch the refusals"


def test_only_those_who_may_have_a_role_are_given_it(incident: Incident, occasion: Any) -> None:
    people = People(members={"ada": (Role.COMMANDER,)})

    with pytest.raises(RefusedActError, match="'eve' is not listed"):
        perform(incident, Assign(role=Role.LEGAL, name="eve"), occasion(people=people))


def test_what_a_fact_woke_cannot_be_snoozed(incident: Incident, occasion: Any) -> None:
    act = Snooze(until_us=NOW + HOUR)
    (asleep,) = perform(incident, act, occasion()).incidents
    fact = StateFact(fact=Fact.OUTSIDE_INQUIRY, floors=POLICY.floors, entitled=POLICY.entitled)
    (lifted,) = perform(incident, fact, occasion()).incidents

    assert asleep.snoozed_until_us == NOW + HOUR
    with pytest.raises(RefusedActError, match="cannot be snoozed"):
        perform(lifted, act, occasion())


def test_links_are_made_once_and_to_others(incident: Incident, occasion: Any) -> None:
    act = Relate(kind=LinkKind.CAUSED_BY, other_id="f" * 64)
    (linked,) = perform(incident, act, occasion()).incidents

    assert linked.links[0].kind is LinkKind.CAUSED_BY
    with pytest.raises(RefusedActError, match="there already"):
        perform(linked, act, occasion())
    with pytest.raises(RefusedActError, match="got itself"):
        perform(incident, Relate(kind=LinkKind.DUPLICATE, other_id=incident.id), occasion())


def report(**options: Any) -> Report:
    return Report(
        **{
            "system": "loans",
            "environment": "production",
            "title": "a customer saw another one's letter",
            "failure_mode": FailureMode.SAFETY,
            "stated_mode": "letters of two people were mixed up by the mail merge",
            **options,
        }
    )


def test_a_person_opens_an_incident_in_words_of_their_own(desk: Any, occasion: Any) -> None:
    changes = desk.keep(opened(report(), occasion(role=Role.PRODUCT)))

    (made,) = changes.incidents
    assert (made.state, made.stated_mode) == (S.OPEN, report().stated_mode)
    assert (made.tier, made.could_be) == (Tier.SEV3, Tier.SEV1)
    assert desk.kinds(made) == ["opened_by_person"]


@pytest.mark.parametrize("wrong", [{"title": ""}, {"reason": ""}])
def test_a_report_without_title_or_reason_is_refused(occasion: Any, wrong: dict[str, str]) -> None:
    title = wrong.get("title", "t")
    reason = wrong.get("reason", "r")

    with pytest.raises(RefusedActError, match="a title and a reason"):
        opened(report(title=title), occasion(reason=reason))


def merged(desk: Any, breach: Any, occasion: Any) -> tuple[Incident, Incident]:
    first = desk.see(breach("psi(x)", slice_="region=EU"))
    other = desk.see(breach("psi(y)", 50, slice_="language=en", tier=Tier.SEV1))
    desk.keep(
        perform(first, WriteDown(kind=EntryKind.BELIEF_STATED, text="I believe it"), occasion())
    )
    on: Occasion = occasion(timeline=desk.timeline(first))
    desk.keep(merge(first, other, on, desk.timeline(other)))
    return desk.incidents[first.id], desk.incidents[other.id]


def test_a_merge_keeps_both_timelines_and_both_awareness_times(
    desk: Any, breach: Any, occasion: Any
) -> None:
    gone, kept = merged(desk, breach, occasion)

    assert desk.kinds(gone) == ["opened", "evidence_frozen", "belief_stated", "merged"]
    assert desk.kinds(kept) == ["opened", "evidence_frozen", "merged_from"]
    assert broken_links(desk.timeline(gone)) == broken_links(desk.timeline(kept)) == ()
    told = desk.timeline(kept)[-1].entry.body
    assert told["head"] == desk.timeline(gone)[2].hash
    assert AwarenessKind.BELIEF_STATED in [each["kind"] for each in told["awareness"]]
    onsets = [
        next(a for a in awareness(desk.timeline(each)) if a.kind is AwarenessKind.ONSET_ESTIMATED)
        for each in (gone, kept)
    ]
    assert [each.from_us for each in onsets] == [0, 50 * HOUR]


def test_a_merged_incident_holds_the_signals_of_both_and_is_no_milder(
    desk: Any, breach: Any, occasion: Any
) -> None:
    gone, kept = merged(desk, breach, occasion)

    assert (gone.state, gone.merged_into) == (S.MERGED, kept.id)
    assert {each.identity.series for each in kept.signals} == {"psi(x)", "psi(y)"}
    assert kept.tier is Tier.SEV1
    again = desk.see(breach("psi(x)", 51, slice_="region=EU"))
    assert again.id == kept.id
    with pytest.raises(RefusedActError, match="act on that one"):
        perform(gone, Move(to=S.OPEN), occasion())


def test_a_merge_does_not_lower_what_was_decided(desk: Any, breach: Any, occasion: Any) -> None:
    first = desk.see(breach("psi(x)", slice_="region=EU", tier=Tier.SEV1))
    other = replace(desk.see(breach("psi(y)", 50, slice_="language=en")), confirmed=Tier.SEV4)

    changes = merge(first, other, occasion(), ())

    assert changes.incidents[1].tier is Tier.SEV1


def test_a_merge_is_no_way_to_resolve(desk: Any, breach: Any, occasion: Any) -> None:
    first = desk.see(breach("psi(x)", slice_="region=EU"))
    other = desk.see(breach("psi(y)", 50, slice_="language=en"))
    proposed = replace(other, resolution_proposed=WindowKey(0, HOUR))

    assert merge(first, proposed, occasion(), ()).incidents[1].resolution_proposed is None
    assert merge(proposed, first, occasion(), ()).incidents[1].resolution_proposed is None


@pytest.mark.parametrize("state", [S.RESOLVED, S.CLOSED, S.DISMISSED, S.MERGED])
def test_only_what_is_worked_on_is_merged(
    desk: Any, breach: Any, occasion: Any, state: IncidentState
) -> None:
    first = desk.see(breach("psi(x)"))

    for pair in [(replace(first, state=state), first), (first, replace(first, state=state))]:
        with pytest.raises(RefusedActError, match=r"worked on|another one|itself"):
            merge(replace(pair[0], id="a"), replace(pair[1], id="b"), occasion(), ())


def test_nobody_decides_what_is_not_theirs(incident: Incident, occasion: Any) -> None:
    assert RIGHTS[Decision.RESOLVE].deciders == {Role.COMMANDER}

    with pytest.raises(RefusedActError, match="resolve is decided by commander"):
        perform(
            resolving(incident),
            Move(to=S.RESOLVED, without_evidence=True),
            occasion(name="eve", role=Role.ON_CALL),
        )
