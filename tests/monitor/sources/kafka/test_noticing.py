"""Silence of a cluster is told once, after a while, and anew when it comes again."""

from monitor.sources.kafka_stream.noticing import UNREACHABLE_SECONDS, Noticing
from monitor.sources.live import NoticeKind


class Seconds:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def told(noticing: Noticing) -> list[str]:
    return [notice.detail for notice in noticing.handed_on()]


def test_a_moment_of_silence_is_not_told() -> None:
    seconds = Seconds()
    noticing = Noticing(seconds)

    noticing.no_answer("away")
    seconds.now += UNREACHABLE_SECONDS - 0.1
    noticing.no_answer("away")

    assert not noticing.handed_on()
    assert noticing.silent_since == 1_000.0


def test_silence_is_told_once_however_long_it_is() -> None:
    seconds = Seconds()
    noticing = Noticing(seconds)

    for _ in range(20):
        noticing.no_answer(f"away at {seconds.now:g}")
        seconds.now += UNREACHABLE_SECONDS / 3

    (notice,) = noticing.handed_on()
    assert notice.kind is NoticeKind.UNREACHABLE
    assert notice.detail == f"away at {1_000 + UNREACHABLE_SECONDS:g}"
    assert not noticing.handed_on()


def test_an_answer_ends_the_silence_and_the_next_one_is_told_again() -> None:
    seconds = Seconds()
    noticing = Noticing(seconds)
    details = []

    for name in ("first", "second"):
        noticing.no_answer(name)
        seconds.now += UNREACHABLE_SECONDS
        noticing.no_answer(name)
        details += told(noticing)
        noticing.answered()

    assert details == ["first", "second"]
    assert noticing.silent_since is None


def test_a_monitor_cannot_see_from_when_silence_is_told_until_an_answer() -> None:
    seconds = Seconds()
    noticing = Noticing(seconds)
    noticing.answered()

    noticing.no_answer("away")
    in_a_moment = noticing.outage()
    seconds.now += UNREACHABLE_SECONDS
    noticing.no_answer("away")
    seconds.now += 5
    told = noticing.outage()
    noticing.answered()

    assert in_a_moment is None
    assert told is not None
    assert told.seconds == UNREACHABLE_SECONDS + 5
    assert noticing.outage() is None


def test_a_monitor_that_never_had_an_answer_cannot_see_from_the_first_question_on() -> None:
    noticing = Noticing(Seconds())

    noticing.no_answer("away")

    assert noticing.outage() is not None
