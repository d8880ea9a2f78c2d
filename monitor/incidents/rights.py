"""Who decides what: the table of decision rights, kept as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from monitor.incidents.roles import Role

__all__ = ["RIGHTS", "Decision", "Right", "SecondPerson"]


class Decision(StrEnum):
    """What somebody can decide or do."""

    OPEN = "open"
    ACKNOWLEDGE = "acknowledge"
    CONFIRM = "confirm"
    SEVERITY = "severity"
    DISMISS = "dismiss"
    FREEZE = "freeze"
    CONTAIN = "contain"
    ROLL_BACK = "roll_back"
    SWITCH_OFF = "switch_off"
    HARM = "harm"
    CAUSE = "cause"
    LEGAL_CLOCK = "legal_clock"
    NOTICE_TO_USERS = "notice_to_users"
    NOTICE_TO_REGULATOR = "notice_to_regulator"
    NOTICE_TO_PUBLIC = "notice_to_public"
    RESOLVE = "resolve"
    REVIEW = "review"
    PUBLISH_REVIEW = "publish_review"
    CLOSE = "close"
    MERGE = "merge"
    ASSIGN = "assign"
    SNOOZE = "snooze"
    SILENCE = "silence"
    RECORD = "record"
    ERASE = "erase"
    CHANGE_POLICY = "change_policy"


class SecondPerson(StrEnum):
    """When a decision takes a second person in another role."""

    NEVER = "never"
    GRAVE = "in SEV1 and SEV2"
    LOWERING = "to lower SEV1 or SEV2"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Who decides one thing.

    Parameters
    ----------
    monitor
        What the monitor may do by itself.
    deciders
        The roles that decide.
    until_commander
        Roles that decide as well while nobody is named commander.
    second
        When a second person is needed.
    seconds
        The roles that the second person may have.
    responsible, consulted, informed
        The rest of the RACI table; accountable are the deciders.
    """

    monitor: str = "never"
    deciders: frozenset[Role]
    until_commander: frozenset[Role] = frozenset()
    second: SecondPerson = SecondPerson.NEVER
    seconds: frozenset[Role] = frozenset()
    responsible: tuple[Role, ...] = ()
    consulted: tuple[Role, ...] = ()
    informed: tuple[Role, ...] = ()


_ALL: Final = frozenset(Role)

_LEADERS: Final = frozenset({Role.ON_CALL, Role.COMMANDER})

_COMMANDER: Final = frozenset({Role.COMMANDER})

_OTHERS: Final = frozenset(
    {Role.COMMANDER, Role.ML_LEAD, Role.PRODUCT, Role.LEGAL, Role.OWNER, Role.GOVERNANCE}
)

_AT_HAND: Final = frozenset({Role.ON_CALL})

RIGHTS: Final[Mapping[Decision, Right]] = {
    Decision.OPEN: Right(
        monitor="opens a candidate",
        deciders=_ALL,
        responsible=(Role.ON_CALL,),
        informed=(Role.LEGAL, Role.COMMUNICATIONS, Role.PRODUCT),
    ),
    Decision.ACKNOWLEDGE: Right(deciders=_LEADERS, responsible=(Role.ON_CALL,)),
    Decision.CONFIRM: Right(
        monitor="proposes",
        deciders=_LEADERS,
        responsible=(Role.ON_CALL,),
        informed=(Role.LEGAL, Role.COMMUNICATIONS, Role.PRODUCT),
    ),
    Decision.SEVERITY: Right(
        monitor="suggests with reasons",
        deciders=_COMMANDER,
        until_commander=_AT_HAND,
        second=SecondPerson.LOWERING,
        seconds=frozenset({Role.LEGAL, Role.OWNER}),
        responsible=(Role.ML_LEAD,),
        consulted=(Role.LEGAL, Role.PRODUCT),
    ),
    Decision.DISMISS: Right(
        deciders=_LEADERS,
        second=SecondPerson.GRAVE,
        seconds=_OTHERS,
        responsible=(Role.ON_CALL,),
    ),
    Decision.FREEZE: Right(monitor="does it at once", deciders=_ALL, responsible=(Role.ON_CALL,)),
    Decision.CONTAIN: Right(
        monitor="prepares",
        deciders=_LEADERS | {Role.ML_LEAD, Role.PRODUCT},
        responsible=(Role.ML_LEAD,),
        informed=(Role.LEGAL, Role.COMMUNICATIONS),
    ),
    Decision.ROLL_BACK: Right(
        monitor="prepares and tries without effect",
        deciders=_COMMANDER,
        second=SecondPerson.GRAVE,
        seconds=_OTHERS | _AT_HAND,
        responsible=(Role.ML_LEAD,),
        consulted=(Role.PRODUCT,),
        informed=(Role.LEGAL, Role.COMMUNICATIONS),
    ),
    Decision.SWITCH_OFF: Right(monitor="prepares", deciders=_COMMANDER | {Role.PRODUCT}),
    Decision.HARM: Right(
        deciders=_COMMANDER,
        second=SecondPerson.ALWAYS,
        seconds=frozenset({Role.LEGAL}),
        consulted=(Role.ML_LEAD, Role.PRODUCT),
    ),
    Decision.CAUSE: Right(
        monitor="lists candidates with evidence",
        deciders=frozenset({Role.ML_LEAD}),
        second=SecondPerson.ALWAYS,
        seconds=_OTHERS,
    ),
    Decision.LEGAL_CLOCK: Right(
        monitor="shows the earliest possible time",
        deciders=frozenset({Role.LEGAL}),
        responsible=(Role.LEGAL,),
        consulted=(Role.COMMANDER,),
    ),
    Decision.NOTICE_TO_USERS: Right(
        monitor="drafts",
        deciders=frozenset({Role.LEGAL}),
        second=SecondPerson.ALWAYS,
        seconds=frozenset({Role.COMMUNICATIONS}),
        responsible=(Role.COMMUNICATIONS,),
        consulted=(Role.PRODUCT, Role.ML_LEAD),
    ),
    Decision.NOTICE_TO_REGULATOR: Right(
        monitor="drafts",
        deciders=frozenset({Role.LEGAL}),
        second=SecondPerson.ALWAYS,
        seconds=frozenset({Role.COMMANDER, Role.OWNER, Role.COMMUNICATIONS}),
        responsible=(Role.LEGAL,),
        consulted=(Role.ML_LEAD, Role.COMMANDER),
    ),
    Decision.NOTICE_TO_PUBLIC: Right(
        monitor="drafts",
        deciders=frozenset({Role.OWNER, Role.LEGAL}),
        second=SecondPerson.ALWAYS,
        seconds=frozenset({Role.COMMUNICATIONS, Role.LEGAL}),
        responsible=(Role.COMMUNICATIONS,),
        consulted=(Role.LEGAL,),
    ),
    Decision.RESOLVE: Right(monitor="proposes on fresh evidence", deciders=_COMMANDER),
    Decision.REVIEW: Right(
        monitor="checks what is missing",
        deciders=_COMMANDER | {Role.OWNER, Role.SCRIBE},
        responsible=(Role.SCRIBE, Role.ML_LEAD),
        consulted=tuple(Role),
    ),
    Decision.PUBLISH_REVIEW: Right(
        monitor="checks what is missing",
        deciders=frozenset({Role.OWNER, Role.SCRIBE, Role.ML_LEAD}),
        second=SecondPerson.ALWAYS,
        seconds=_COMMANDER,
        responsible=(Role.SCRIBE, Role.ML_LEAD),
        consulted=(Role.LEGAL, Role.COMMUNICATIONS),
        informed=tuple(Role),
    ),
    Decision.CLOSE: Right(
        monitor="checks what is missing",
        deciders=_COMMANDER | {Role.OWNER},
        second=SecondPerson.GRAVE,
        seconds=_OTHERS,
    ),
    Decision.MERGE: Right(deciders=_LEADERS),
    Decision.ASSIGN: Right(
        deciders=_LEADERS | {Role.OWNER},
    ),
    Decision.SNOOZE: Right(deciders=_LEADERS),
    Decision.SILENCE: Right(deciders=_LEADERS | {Role.OWNER}),
    Decision.RECORD: Right(monitor="records what it sees", deciders=_ALL),
    Decision.ERASE: Right(
        deciders=frozenset({Role.LEGAL}),
        second=SecondPerson.ALWAYS,
        seconds=frozenset({Role.OWNER, Role.GOVERNANCE, Role.COMMANDER}),
    ),
    Decision.CHANGE_POLICY: Right(
        deciders=frozenset({Role.GOVERNANCE}), second=SecondPerson.ALWAYS, seconds=_OTHERS
    ),
}
