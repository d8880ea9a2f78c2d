from dataclasses import replace

from monitor.incidents.timeline import (
    FIRST_PREV,
    Confidence,
    EntryKind,
    RecordedEntry,
    TimelineEntry,
    broken_links,
    chained,
    superseded,
)


def entry(text: str) -> TimelineEntry:
    return TimelineEntry(
        kind=EntryKind.SIGNAL_ADDED, occurred_us=1, known_us=2, body={"sentence": text}
    )


def timeline(*texts: str) -> list[RecordedEntry]:
    recorded: list[RecordedEntry] = []
    for seq, text in enumerate(texts, start=1):
        prev = recorded[-1].hash if recorded else FIRST_PREV
        recorded.append(chained("id", entry(text), seq=seq, recorded_us=3, prev=prev))
    return recorded


def test_an_untouched_timeline_is_whole() -> None:
    assert broken_links(timeline("a", "b", "c")) == ()
    assert broken_links([]) == ()


def test_a_changed_entry_is_found() -> None:
    entries = timeline("a", "b", "c")
    entries[1] = replace(entries[1], entry=entry("something milder"))

    assert broken_links(entries) == (2,)


def test_a_changed_time_is_found() -> None:
    entries = timeline("a", "b")
    entries[0] = replace(entries[0], recorded_us=1)

    assert broken_links(entries) == (1,)


def test_an_entry_that_was_taken_out_is_found() -> None:
    first, _, third = timeline("a", "b", "c")

    assert broken_links([first, third]) == (3,)
    assert broken_links([third]) == (3,)


def test_the_same_thing_is_told_once_whenever_it_was_known() -> None:
    later = replace(entry("a"), known_us=99)

    assert later.key == entry("a").key
    assert entry("b").key != entry("a").key


def test_people_state_and_the_monitor_observes_unless_they_say_otherwise() -> None:
    stated = replace(entry("a"), actor="ada", body={"role": "legal", "text": "t"})
    alleged = replace(stated, body={"confidence": "alleged"})

    assert entry("a").confidence is Confidence.OBSERVED
    assert (stated.confidence, stated.role) == (Confidence.STATED, "legal")
    assert alleged.confidence is Confidence.ALLEGED


def test_the_latest_correction_of_an_entry_is_named_and_the_old_text_stays() -> None:
    entries = timeline("a", "b", "c")
    for seq in (2, 3):
        corrected = replace(
            entry(f"better {seq}"), body={"supersedes": 1, "text": f"better {seq}"}
        )
        entries[seq - 1] = replace(entries[seq - 1], entry=corrected)

    assert superseded(entries) == {1: 3}
    assert entries[0].entry.body == {"sentence": "a"}
