"""What logs promise."""

import io
import json
import logging
import math
import warnings
from collections.abc import Callable, Iterator

import pytest

from monitor.clock import FixedClock
from monitor.telemetry.logs import Log, configure_logging, get_logger


def fail(message: str) -> None:
    raise RuntimeError(message)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, ours = logging.getLogger(), [logging.getLogger(n) for n in ("monitor", "outputwatch")]
    kept = root.handlers[:], root.level, [logger.level for logger in ours]
    yield io.StringIO()
    logging.captureWarnings(False)
    root.handlers[:], root.level = kept[0], kept[1]
    for logger, level in zip(ours, kept[2], strict=True):
        logger.setLevel(level)


@pytest.fixture
def lines(stream) -> Callable[[], list[dict[str, object]]]:
    configure_logging("info", stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_object_with_the_sentence_and_the_fields(lines) -> None:
    get_logger("monitor.engine").info("window closed", window="2026-09-01", rows=12, late=None)

    (line,) = lines()
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "monitor.engine",
        "message": "window closed",
        "window": "2026-09-01",
        "rows": 12,
        "late": None,
    }


def test_bytes_of_records_are_never_written(lines, stream) -> None:
    get_logger("monitor.x").warning("record refused", payload=b'{"name": "Ada"}')

    assert lines()[0]["payload"] == "<15 bytes>"
    assert "Ada" not in stream.getvalue()


def test_of_an_error_the_lines_with_parameters_are_left_out(lines, stream) -> None:
    try:
        fail("insert failed\n[parameters: ('secret text',)]")
    except RuntimeError as error:
        get_logger("monitor.x").error("checkpoint failed", error=error, try_number=2)

    (line,) = lines()
    assert line["error"] == "RuntimeError"
    assert line["error_message"] == "insert failed"
    assert "test_logs" in line["error_at"]
    assert line["try_number"] == 2
    assert "secret" not in stream.getvalue()


def test_long_texts_are_cut_and_odd_values_stay_json(lines) -> None:
    get_logger("monitor.x").info("odd", text="x" * 1000, number=math.nan, broken="\ud800")

    (line,) = lines()
    assert len(line["text"]) == 303
    assert line["number"] == "nan"
    assert line["broken"] == "\\ud800"


def test_a_field_cannot_pose_as_the_level_or_add_a_line(lines, stream) -> None:
    get_logger("monitor.x").info("told", level="error", detail="a\nb")

    (line,) = lines()
    assert line["level"] == "info"
    assert line["level_"] == "error"
    assert line["detail"] == "a\nb"
    assert stream.getvalue().count("\n") == 1


def test_libraries_are_heard_from_warnings_on(lines) -> None:
    logging.getLogger("kafka").info("chatter")
    logging.getLogger("kafka").warning("broker %s is gone", "b1")

    assert [line["message"] for line in lines()] == ["broker b1 is gone"]


def test_warnings_of_python_come_as_lines_too(lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old option", UserWarning, stacklevel=1)

    assert "old option" in lines()[0]["message"]


def test_the_level_hides_what_is_below_it(stream) -> None:
    configure_logging("warning", stream=stream)

    get_logger("monitor.x").info("hidden")
    get_logger("monitor.x").warning("shown")

    assert json.loads(stream.getvalue())["message"] == "shown"


def test_people_get_a_line_without_control_characters(stream) -> None:
    configure_logging("debug", stream=stream, json_lines=False)

    get_logger("monitor.x").debug("source\topened", name="a\x1b[31m\nb")

    line = stream.getvalue()
    assert line.endswith(' debug   source\\topened name="a\\u001b[31m\\nb"\n')


def test_an_unknown_level_is_refused(stream) -> None:
    with pytest.raises(ValueError, match="one of debug, info, warning, error, got 'loud'"):
        configure_logging("loud", stream=stream)


def test_repeated_warnings_are_held_back_and_counted(lines) -> None:
    clock = FixedClock(0)
    log = Log(logging.getLogger("monitor.x"), clock)

    for clock.us in (0, 1_000_000, 59_000_000, 60_000_000, 130_000_000):
        log.warn_rarely("the broker is not reachable", second=clock.us // 1_000_000)

    told = [(line["second"], line.get("repeated")) for line in lines()]
    assert told == [(0, None), (60, 2), (130, None)]


def test_different_warnings_do_not_hold_each_other_back(lines) -> None:
    log = Log(logging.getLogger("monitor.x"), FixedClock(0))

    log.warn_rarely("one")
    log.warn_rarely("two")

    assert [line["message"] for line in lines()] == ["one", "two"]
