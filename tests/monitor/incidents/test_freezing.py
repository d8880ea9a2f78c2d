import hashlib
from dataclasses import replace
from typing import Any

from monitor.incidents.freezing import manifest
from monitor.incidents.records import canonical_json
from monitor.incidents.timeline import EntryKind


def test_the_evidence_is_frozen_right_after_an_incident_opens(desk: Any, breach: Any) -> None:
    incident = desk.see(breach())

    opened, frozen = desk.timeline(incident)

    assert opened.entry.kind is EntryKind.OPENED
    assert frozen.entry.kind is EntryKind.EVIDENCE_FROZEN
    content = {key: frozen.entry.body[key] for key in ("signals", "releases")}
    digest = hashlib.sha256(canonical_json(content).encode()).hexdigest()
    assert frozen.entry.body["manifest"] == digest


def test_a_run_and_an_audit_freeze_the_same_whenever_they_do(desk: Any, breach: Any) -> None:
    first = desk.see(breach(), known_us=1)
    body = desk.timeline(first)[1].entry.body
    desk.incidents.clear()
    desk.timelines.clear()

    again = desk.see(breach(), known_us=2)

    assert desk.timeline(again)[1].entry.body == body


def test_other_numbers_give_another_hash(breach: Any) -> None:
    one = breach()
    other = replace(one, observation=replace(one.observation, n_rows=101))

    assert manifest([one], [])["manifest"] != manifest([other], [])["manifest"]
