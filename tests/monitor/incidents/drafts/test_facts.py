"""Fields come from entries, and stay unknown where nobody wrote one."""

from monitor.incidents.drafts.facts import facts_of
from monitor.incidents.drafts.fields import DEFINITIONS, Fields, FieldState
from monitor.incidents.timeline import MONITOR, EntryKind


def facts(growing, *, register=None, outside=False, now_us=None) -> Fields:
    return facts_of(
        growing.incident,
        growing.entries,
        register or {},
        growing.now_us if now_us is None else now_us,
        outside=outside,
    )


def test_human_fields_are_there_and_unknown_until_a_person_states_them(
    growing,
) -> None:
    found = facts(growing)

    assert set(found) == set(DEFINITIONS)
    assert all(found[name].is_unknown for name, each in DEFINITIONS.items() if each.human)


def test_without_entries_everything_is_unknown(growing) -> None:
    growing.entries.clear()

    assert all(each.is_unknown for each in facts(growing).values())


def test_what_the_monitor_measured_is_an_estimate_with_interval_and_entry(growing) -> None:
    effect = facts(growing)["effect"]

    assert effect.state is FieldState.ESTIMATE
    assert (effect.low, effect.high, effect.refs) == ("0.551", "0.701", ("e2",))
    assert effect.text.startswith("0.623 ")


def test_the_onset_is_an_estimate_between_two_times(growing) -> None:
    onset = facts(growing)["onset"]

    assert onset.state is FieldState.ESTIMATE
    assert onset.low < onset.high
    assert onset.refs == ("e1",)


def test_a_statement_tells_who_and_when(growing) -> None:
    seq = growing.state("contact", "Write to Ada")

    contact = facts(growing)["contact"]

    assert (contact.state, contact.text) == (FieldState.STATED, "Write to Ada")
    assert (contact.by, contact.known_us, contact.refs) == ("Ada", growing.now_us, (f"e{seq}",))


def test_harm_and_cause_come_from_their_own_kinds_of_entry(growing) -> None:
    growing.add(EntryKind.HARM_STATED, {"text": "people were turned away"})
    growing.add(EntryKind.CAUSE_STATED, {"text": "a new prompt"})

    found = facts(growing)

    assert found["harm"].text == "people were turned away"
    assert found["cause"].text == "a new prompt"
    assert found["n_harmed"].is_unknown


def test_evidence_that_was_frozen_is_named_by_its_manifest(growing) -> None:
    seq = growing.add(EntryKind.EVIDENCE_FROZEN, {"manifest": "5f" * 32}, actor=MONITOR)

    kept = facts(growing, outside=True)["evidence_kept"]

    assert kept.text.endswith(f"manifest {'5f' * 32}")
    assert (kept.refs, kept.observed) == ((f"e{seq}",), True)


def test_a_field_that_does_not_apply_says_why(growing) -> None:
    growing.add(
        EntryKind.FINDING_SIGNED,
        {"field": "n_records", "text": "no personal data was read", "not_applicable": True},
    )

    found = facts(growing)["n_records"]

    assert found.state is FieldState.NOT_APPLICABLE
    assert found.reason == "no personal data was read"


def test_a_correction_replaces_the_words_and_both_entries_are_named(growing) -> None:
    first = growing.state("contact", "Write to Ada")
    second = growing.add(EntryKind.CORRECTED, {"supersedes": first, "text": "Write to Bob"})

    contact = facts(growing)["contact"]

    assert (contact.text, contact.refs) == ("Write to Bob", (f"e{first}", f"e{second}"))


def test_what_was_withdrawn_is_unknown_again(growing) -> None:
    first = growing.state("contact", "Write to Ada")
    growing.add(EntryKind.CORRECTED, {"supersedes": first, "text": "no", "withdrawn": True})

    assert facts(growing)["contact"].is_unknown


def test_what_was_recorded_later_was_not_known_then(growing) -> None:
    before = growing.now_us
    growing.state("contact", "Write to Ada")

    assert facts(growing, now_us=before)["contact"].is_unknown


def test_outside_an_action_counts_only_when_a_person_signed_it_as_a_finding(growing) -> None:
    seq = growing.add(EntryKind.ACTION_TAKEN, {"text": "prompt reverted"})

    unsigned = facts(growing, outside=True)["measures"]
    growing.add(EntryKind.FINDING_SIGNED, {"entries": [seq], "text": "I checked this"})
    signed = facts(growing, outside=True)["measures"]

    assert unsigned.is_unknown
    assert unsigned.reason == f"e{seq} not signed as a finding"
    assert "prompt reverted" in signed.text
    assert not signed.observed


def test_inside_an_action_counts_at_once(growing) -> None:
    growing.add(EntryKind.ACTION_TAKEN, {"text": "prompt reverted"})

    assert "prompt reverted" in facts(growing)["measures"].text


def test_a_correction_that_nobody_signed_is_not_told_outside(growing) -> None:
    first = growing.state("contact", "Write to Ada")
    growing.add(EntryKind.CORRECTED, {"supersedes": first, "text": "Write to Bob"})

    assert facts(growing, outside=True)["contact"].is_unknown


def test_a_signature_that_was_withdrawn_signs_nothing(growing) -> None:
    seq = growing.add(EntryKind.ACTION_TAKEN, {"text": "prompt reverted"})
    signature = growing.add(EntryKind.FINDING_SIGNED, {"entries": [seq], "text": "ok"})
    growing.add(
        EntryKind.CORRECTED, {"supersedes": signature, "text": "not so", "withdrawn": True}
    )

    assert facts(growing, outside=True)["measures"].is_unknown


def test_what_owners_declared_is_told_as_from_the_register(growing) -> None:
    stakes = facts(growing, register={"stakes": "consequential"})["stakes"]

    assert (stakes.state, stakes.text) == (FieldState.FACT, "consequential")
    assert stakes.refs == ("register",)


def test_entries_of_another_incident_tell_nothing(growing) -> None:
    growing.state("contact", "Write to Ada")
    other = facts_of(
        type(growing.incident)(
            **{
                name: getattr(growing.incident, name)
                for name in growing.incident.__dataclass_fields__
                if name != "id"
            },
            id="0" * 64,
        ),
        growing.entries,
        {},
        growing.now_us,
    )

    assert all(each.is_unknown for each in other.values())
