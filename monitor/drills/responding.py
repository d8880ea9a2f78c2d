"""A responder that follows a script, by the same desks that the commands use."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from monitor.clock import FixedClock
from monitor.drills.cast import entitled
from monitor.drills.script import Cast, Script
from monitor.engine.response.acting import ActingDesk
from monitor.engine.response.desk import Case, ResponseDesk
from monitor.incidents.acts.base import Act, Occasion
from monitor.incidents.acts.deciding import DecideSeverity, StateFact
from monitor.incidents.acts.moving import Move
from monitor.incidents.acts.organizing import Assign
from monitor.incidents.acts.recording import OpenEvidence, WriteDown
from monitor.incidents.drafts.draft import Draft
from monitor.incidents.drafts.fields import DEFINITIONS
from monitor.incidents.model import Incident
from monitor.incidents.postmortem.report import missing, post_mortem
from monitor.incidents.rights import Decision
from monitor.incidents.roles import Person, RefusedActError, Role
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import MONITOR, EntryKind
from monitor.severity.scoring import FiveAxes

__all__ = ["Responder", "Response", "Step"]

_MINUTE: Final = 60_000_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_ROLES: Final = (
    Role.COMMANDER,
    Role.ML_LEAD,
    Role.PRODUCT,
    Role.LEGAL,
    Role.COMMUNICATIONS,
    Role.SCRIBE,
)
_SIGNED: Final = frozenset(
    {
        EntryKind.EVIDENCE_OPENED,
        EntryKind.ACKNOWLEDGED,
        EntryKind.DETERMINED,
        EntryKind.CONTAINED,
        EntryKind.ACTION_TAKEN,
    }
)
"""What was done and since when it was known: without a signature nobody outside is told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was done.

    Parameters
    ----------
    at_us
        When, by the clock of the script.
    who
        Who did it.
    what
        In words.
    refused
        Whether the rules did not allow it.
    """

    at_us: int
    who: str
    what: str
    refused: bool = False


@dataclass(slots=True, kw_only=True)
class Response:
    """What came of a scripted response.

    Parameters
    ----------
    steps
        What was done, in order.
    drafts
        The approved texts by subject.
    post_mortem
        The post-mortem as Markdown.
    missing
        What it lacks.
    """

    steps: list[Step] = field(default_factory=list)
    drafts: dict[str, Draft] = field(default_factory=dict)
    post_mortem: str = ""
    missing: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Responder:
    """Plays all persons of a response; it decides nothing that the script does not say.

    Parameters
    ----------
    incident
        The id of the incident.
    acting, desk
        The desks that people's commands use.
    clock
        Stands still but for the steps of the script, so that two runs give the same.
    cast
        Who plays which role.
    script
        What they say.
    policy
        Which tier the facts of the script allow, and who may state them.
    roll_back
        Prepares, agrees to and carries out the rollback, and says how it ended.
    watch
        Lets the monitor see what came since; it does nothing where that is seen later.
    """

    incident: str
    acting: ActingDesk
    desk: ResponseDesk
    clock: FixedClock
    cast: Cast
    script: Script
    policy: FiveAxes
    roll_back: "Callable[[Responder], None]"
    watch: "Callable[[Responder], None]" = field(default=lambda _responder: None)
    response: Response = field(default_factory=Response)

    def contain(self) -> Response:
        """Take an incident from its opening to texts that may be sent, and watch on."""
        self._look()
        self._decide()
        self._screen()
        self.roll_back(self)
        self._contained()
        self.watch(self)
        self._write_to(("staff", "affected", "customers"))
        if self.script.first_report is not None:
            self._report_first(self.script.first_report)
        self.move(IncidentState.MONITORING, self.script.watched, minutes=3)
        return self.response

    def finish(self) -> Response:
        """Resolve it on the evidence that came since, review it, and write the post-mortem.

        Raises
        ------
        RefusedActError
            If the monitor has not seen every signal back.
        """
        self.move(IncidentState.RESOLVED, self.script.resolved, minutes=5)
        self.move(IncidentState.IN_REVIEW, self.script.reviewed, minutes=60)
        if self.script.first_report is not None and self.script.first_report_withdrawn:
            self._decide_duty(self.script.first_report, self.script.first_report_withdrawn)
        self._state_at_review()
        self._write_post_mortem()
        return self.response

    def at(self, minutes: float) -> None:
        """Let some time pass."""
        self.clock.us += int(minutes * _MINUTE)

    def noted(self, who: str, what: str, *, refused: bool = False) -> None:
        """Keep what was done for those who read the drill."""
        self.response.steps.append(Step(at_us=self.clock.us, who=who, what=what, refused=refused))

    def person(self, role: Role) -> Person:
        """Return who plays a role."""
        return Person(name=self.cast[role], role=role)

    def move(self, to: IncidentState, reason: str, *, minutes: float) -> None:
        """Bring the incident to a state."""
        role = Role.ON_CALL if to is IncidentState.ACKNOWLEDGED else Role.COMMANDER
        self.at(minutes)
        self._act(Move(to=to), role, f"{to.value.replace('_', ' ')}: {reason}", reason)

    def case(self) -> Case:
        """Return the incident and its timeline as they are now."""
        return self.desk.case(self.incident)

    @property
    def tier(self) -> Tier:
        """Return the tier that counts now."""
        return self.case().incident.tier

    def _look(self) -> None:
        self.at(1)
        self._act(OpenEvidence(), Role.ON_CALL, "opens the evidence")
        self.move(IncidentState.ACKNOWLEDGED, self.script.acknowledged, minutes=1)
        for role in _ROLES:
            if role in self.cast:
                self.at(0.5)
                self._act(
                    Assign(role=role, name=self.cast[role]),
                    Role.ON_CALL,
                    f"names {self.cast[role]} {role.value.replace('_', ' ')}",
                )

    def _decide(self) -> None:
        for each in self.script.facts:
            self.at(1)
            act = StateFact(
                fact=each.fact, floors=self.policy.floors, entitled=self.policy.entitled
            )
            self._act(act, each.role, f"states: {each.fact.value.replace('_', ' ')}", each.reason)
        self.at(2)
        self._act(OpenEvidence(), Role.COMMANDER, "opens the evidence")
        tier = self.case().incident.suggested
        self.at(2)
        said = f"decides on {tier.value}: {self.script.severity}"
        self._act(DecideSeverity(tier=tier), Role.COMMANDER, said, self.script.severity)
        self.at(1)
        determined = WriteDown(kind=EntryKind.DETERMINED, text=self.script.determined)
        self._act(determined, Role.COMMANDER, f"determines: {self.script.determined}")

    def _screen(self) -> None:
        """Let counsel go through the duties: which may apply, which do not."""
        for duty, reason in self.script.duties.items():
            self._decide_duty(duty, reason)
        if self.script.first_report is not None:
            determined = self._last(EntryKind.DETERMINED)
            reason = self.script.first_report_reason
            self._decide_duty(self.script.first_report, reason, trigger=determined)

    def _decide_duty(self, duty: str, reason: str, *, trigger: int | None = None) -> None:
        self.at(2)
        counsel = self.person(Role.LEGAL)
        on = self.desk.occasion(counsel, reason=reason)
        self.desk.decide(self.incident, duty, on, trigger_seq=trigger)
        applies = "does not apply" if trigger is None else "may apply, its clocks run"
        self.noted(counsel.name, f"{duty} {applies}: {reason}")

    def _contained(self) -> None:
        self.at(1)
        act = WriteDown(kind=EntryKind.ACTION_TAKEN, text=self.script.contained)
        self._act(act, Role.ML_LEAD, f"did: {self.script.contained}")
        # A rollback that is seen to be served has contained it already.
        if self.case().incident.state is not IncidentState.CONTAINED:
            self.move(IncidentState.CONTAINED, self.script.contained, minutes=1)

    def _write_to(self, subjects: Iterable[str]) -> None:
        for subject in subjects:
            self._approve(subject, first_report=False)

    def _report_first(self, duty: str) -> None:
        self._approve(f"regulator:{duty}", first_report=True)

    def _approve(self, subject: str, *, first_report: bool) -> None:
        """Draft, be refused while something that blocks is unknown, state it, and approve."""
        self.at(2)
        draft = self.desk.draft(self.incident, subject)
        by, second = self._approvers(subject)
        if draft.blocking:
            self._refused(subject, by, second)
            self._state(draft.blocking)
            self._sign()
            self.at(2)
            draft = self.desk.draft(self.incident, subject)
        self.at(2)
        on = self.desk.occasion(by, second, self.script.checked)
        unknown = first_report and bool(draft.blocking)
        approved = self.desk.approve(self.incident, subject, on, first_report=unknown)
        self.response.drafts[subject] = approved
        together = "" if second is None else f" with {second.name}"
        known = f"; still unknown, and said so: {len(approved.unknown)}" if unknown else ""
        self.noted(by.name, f"approves the text for {subject}{together}{known}")

    def _refused(self, subject: str, by: Person, second: Person | None) -> None:
        self.at(1)
        on = self.desk.occasion(by, second, self.script.checked)
        try:
            self.desk.approve(self.incident, subject, on)
        except RefusedActError as error:
            self.noted(by.name, f"is refused: {error}", refused=True)
        else:
            message = f"{subject!r} must not be approved while something that blocks is unknown"
            raise RuntimeError(message)

    def _state(self, names: Iterable[str]) -> None:
        """Let those who may state what the script knows of some fields."""
        for name in names:
            text = self.script.statements.get(name)
            if text is None or not DEFINITIONS[name].human:
                continue
            self.at(2)
            by, second = entitled(DEFINITIONS[name].decision, self.cast, self.tier)
            self.desk.state(self.incident, name, text, self.desk.occasion(by, second))
            self.noted(by.name, f"states {DEFINITIONS[name].label}: {text}")

    def _sign(self) -> None:
        """Let the commander sign what was done, once, so that it can be told outside."""
        timeline = self.case().timeline
        signed = {int(seq) for each in timeline for seq in each.entry.body.get("entries", ())}
        done = [
            each.seq
            for each in timeline
            if each.entry.kind in _SIGNED and each.entry.actor != MONITOR
        ]
        if set(done) <= signed:
            return
        self.at(1)
        by = self.person(Role.COMMANDER)
        self.desk.sign(self.incident, done, self.desk.occasion(by, reason=self.script.checked))
        self.noted(by.name, f"signs as findings: entries {', '.join(map(str, done))}")

    def _approvers(self, subject: str) -> tuple[Person, Person | None]:
        from monitor.incidents.drafts.draft import rules_of

        decision = rules_of(subject).decision
        if decision is Decision.RECORD:
            return self.person(Role.COMMANDER), None
        return entitled(decision, self.cast, self.tier)

    def _state_at_review(self) -> None:
        for name, text in (("harm", self.script.harm), ("cause", self.script.cause)):
            self.at(10)
            decision = DEFINITIONS[name].decision
            kind = EntryKind.HARM_STATED if name == "harm" else EntryKind.CAUSE_STATED
            by, second = entitled(decision, self.cast, self.tier)
            on = replace(self.desk.occasion(by, second), reason="at the review")
            self.acting.act(self.incident, WriteDown(kind=kind, text=text), on)
            self.noted(by.name, f"states {DEFINITIONS[name].label}: {text}")

    def _write_post_mortem(self) -> None:
        by = self.person(Role.SCRIBE)
        for section, text in self.script.sections.items():
            self.at(3)
            self.desk.write_section(self.incident, section, text, self.desk.occasion(by))
        self.noted(by.name, f"writes {len(self.script.sections)} sections of the post-mortem")
        for item in self.script.items:
            self.at(3)
            body = {
                "text": item.text,
                "owner": self.cast[item.owner],
                "due_us": self.clock.us + item.days * _DAY,
                "item_kind": item.kind.value,
                "series": item.series,
            }
            self.desk.add_item(self.incident, body, self.desk.occasion(by))
            self.noted(
                by.name, f"adds for {self.cast[item.owner]}: {item.text}, shown by {item.series}"
            )
        case = self.desk.observe(self.incident)
        fields = self.desk.fields(case)
        self.response.post_mortem = post_mortem(case.incident, case.timeline, fields)
        self.response.missing = missing(case.incident, case.timeline)

    def _act(self, act: Act, role: Role, said: str, reason: str = "") -> Incident:
        by = self.person(role)
        occasion = Occasion(by=by, reason=reason, now_us=self.clock.us)
        incident = self.acting.act(self.incident, act, occasion)
        self.noted(by.name, said)
        return incident

    def _last(self, kind: EntryKind) -> int:
        return max(each.seq for each in self.case().timeline if each.entry.kind is kind)
