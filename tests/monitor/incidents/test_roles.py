import pytest

from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import RIGHTS, Decision, SecondPerson
from monitor.incidents.roles import People, Person, RefusedActError, Role, RoleHolder
from monitor.incidents.suggestion import Tier

ADA = Person(name="ada", role=Role.COMMANDER)
BOB = Person(name="bob", role=Role.LEGAL)
ANYBODY = People()


def test_every_decision_has_an_owner_and_every_second_person_somebody_to_be() -> None:
    assert set(RIGHTS) == set(Decision)
    for right in RIGHTS.values():
        assert right.deciders
        assert bool(right.seconds) == (right.second is not SecondPerson.NEVER)


@pytest.mark.parametrize("decision", Decision)
@pytest.mark.parametrize("role", Role)
def test_who_is_not_in_the_table_cannot_decide(decision: Decision, role: Role) -> None:
    right = RIGHTS[decision]
    second = Person(name="zoe", role=min(right.seconds - {role}, default=Role.SCRIBE))
    by = Person(name="ada", role=role)

    if role in right.deciders | right.until_commander:
        check_right(decision, by, second, people=ANYBODY)
    else:
        with pytest.raises(RefusedActError, match="is decided by"):
            check_right(decision, by, second, people=ANYBODY)


def test_the_one_on_call_decides_the_severity_only_until_there_is_a_commander() -> None:
    on_call = Person(name="eve", role=Role.ON_CALL)
    check_right(Decision.SEVERITY, on_call, None, people=ANYBODY)

    with pytest.raises(RefusedActError, match="is decided by commander"):
        check_right(
            Decision.SEVERITY,
            on_call,
            None,
            people=ANYBODY,
            holders=(RoleHolder(role=Role.COMMANDER, name="ada"),),
        )


def test_there_is_one_commander() -> None:
    holders = (RoleHolder(role=Role.COMMANDER, name="carl"),)

    with pytest.raises(RefusedActError, match="hand over the role first"):
        check_right(Decision.RESOLVE, ADA, None, people=ANYBODY, holders=holders)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (None, "name one with --second"),
        (Person(name="ada", role=Role.LEGAL), "for both"),
        (Person(name=" Ada", role=Role.LEGAL), "for both"),
        (Person(name="bob", role=Role.COMMANDER), "for both"),
        (Person(name="bob", role=Role.SCRIBE), "got 'scribe'"),
    ],
)
@pytest.mark.parametrize("tier", [Tier.SEV1, Tier.SEV2])
def test_lowering_a_grave_tier_takes_another_person_in_another_role(
    second: Person | None, words: str, tier: Tier
) -> None:
    with pytest.raises(RefusedActError, match=words):
        check_right(Decision.SEVERITY, ADA, second, people=ANYBODY, tier=tier, lowers=True)


def test_lowering_a_mild_tier_or_lifting_a_grave_one_takes_one_person() -> None:
    check_right(Decision.SEVERITY, ADA, None, people=ANYBODY, tier=Tier.SEV3, lowers=True)
    check_right(Decision.SEVERITY, ADA, None, people=ANYBODY, tier=Tier.SEV2, lowers=False)
    check_right(Decision.SEVERITY, ADA, BOB, people=ANYBODY, tier=Tier.SEV1, lowers=True)


def test_only_those_who_are_listed_act_and_only_in_their_roles() -> None:
    people = People(members={"ada": (Role.COMMANDER,)})
    check_right(Decision.RESOLVE, ADA, None, people=people)

    with pytest.raises(RefusedActError, match=r"is not listed under people.members"):
        check_right(Decision.LEGAL_CLOCK, BOB, None, people=people)
    with pytest.raises(RefusedActError, match="must act in a role listed"):
        check_right(Decision.LEGAL_CLOCK, Person(name="ada", role=Role.LEGAL), None, people=people)


def test_an_unlisted_second_person_does_not_count() -> None:
    people = People(members={"ada": (Role.COMMANDER,)})

    with pytest.raises(RefusedActError, match="'bob' is not listed"):
        check_right(Decision.SEVERITY, ADA, BOB, people=people, tier=Tier.SEV1, lowers=True)


def test_an_act_without_a_name_is_refused() -> None:
    with pytest.raises(RefusedActError, match="needs the name of a person"):
        check_right(Decision.RECORD, Person(name=" ", role=Role.SCRIBE), None, people=ANYBODY)
