"""Structured logs: a constant sentence and fields, one JSON object a line on standard error.

What records hold is never logged: bytes are named by their length, texts are cut, and of an
error only the first line of its message is kept, because databases put parameters on the next.
"""

import json
import logging
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TextIO

from monitor.clock import Clock, SteadyClock

__all__ = ["LEVELS", "JsonFormatter", "Log", "TextFormatter", "configure_logging", "get_logger"]

LEVELS: Final = ("debug", "info", "warning", "error")

_MAX_TEXT = 300
_MAX_FRAMES = 20
_FIELDS = "outputwatch_fields"
_OURS = ("monitor", "outputwatch")

Scalar = str | int | float | bool | None


class Log:
    """Writes sentences with fields under one name.

    Parameters
    ----------
    logger
        Of the standard library.
    clock
        For `warn_rarely`; only differences of it are used.
    """

    def __init__(self, logger: logging.Logger, clock: Clock | None = None) -> None:
        self._logger: Final = logger
        self._clock: Final[Clock] = clock or SteadyClock()
        self._lock: Final = threading.Lock()
        self._held_back: Final[dict[str, tuple[int, int]]] = {}

    def debug(self, sentence: str, /, **fields: object) -> None:
        """Write what only helps to find a fault."""
        self._write(logging.DEBUG, sentence, fields)

    def info(self, sentence: str, /, **fields: object) -> None:
        """Write what happened as planned."""
        self._write(logging.INFO, sentence, fields)

    def warning(self, sentence: str, /, **fields: object) -> None:
        """Write what somebody should look at, in time."""
        self._write(logging.WARNING, sentence, fields)

    def error(
        self, sentence: str, /, *, error: BaseException | None = None, **fields: object
    ) -> None:
        """Write what failed; with `error` its type, first line and place."""
        self._write(logging.ERROR, sentence, fields, error)

    def warn_rarely(
        self, sentence: str, /, *, every_seconds: float = 60.0, **fields: object
    ) -> None:
        """Write a warning at most once in a while.

        The next one that is written tells as `repeated` how many were held back before it.
        The sentence must be constant: it is what tells warnings apart.
        """
        now_us = self._clock.now_us()
        with self._lock:
            last_us, held = self._held_back.get(sentence, (None, 0))
            if last_us is not None and now_us - last_us < every_seconds * 1_000_000:
                self._held_back[sentence] = (last_us, held + 1)
                return
            self._held_back[sentence] = (now_us, 0)
        self.warning(sentence, **fields, **({"repeated": held} if held else {}))

    def _write(
        self,
        level: int,
        sentence: str,
        fields: Mapping[str, object],
        error: BaseException | None = None,
    ) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", sentence, exc_info=error, extra={_FIELDS: fields})


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": _time_text(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _cut(record.getMessage()),
        }
        for name, value in _fields_of(record).items():
            line[f"{name}_" if name in line else name] = value
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """A line for people at a terminal; control characters are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = "".join(
            f" {name}={json.dumps(value, ensure_ascii=True)}"
            for name, value in _fields_of(record).items()
        )
        message = json.dumps(_cut(record.getMessage()), ensure_ascii=False)[1:-1]
        return f"{_time_text(record)} {record.levelname.lower():7} {message}{fields}"


def get_logger(name: str) -> Log:
    """Return the log of a module: ``get_logger(__name__)``."""
    return Log(logging.getLogger(name))


def configure_logging(
    level: str = "info", *, stream: TextIO | None = None, json_lines: bool | None = None
) -> None:
    """Send the logs of the whole process to one stream; may be called again.

    Parameters
    ----------
    level
        Of the monitor's own logs, one of `LEVELS`. Libraries are heard from warnings on.
    stream
        Standard error if None.
    json_lines
        None: lines for people if the stream is a terminal, else JSON.

    Raises
    ------
    ValueError
        If there is no such level.
    """
    if level not in LEVELS:
        message = f"the level of logs must be one of {', '.join(LEVELS)}, got {level!r}"
        raise ValueError(message)
    stream = sys.stderr if stream is None else stream
    as_json = not stream.isatty() if json_lines is None else json_lines
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(level.upper())
    logging.captureWarnings(True)


def _time_text(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields_of(record: logging.LogRecord) -> dict[str, Scalar]:
    fields: Mapping[str, object] = getattr(record, _FIELDS, {})
    shown = {name: _shown(value) for name, value in fields.items()}
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        shown["error"] = type(error).__name__
        shown["error_message"] = _cut(str(error).partition("\n")[0])
        shown["error_at"] = _place_of(error)
    return shown


def _shown(value: object) -> Scalar:
    match value:
        case None | bool() | int():
            return value
        case float():
            # JSON has no words for infinity and not-a-number.
            return value if abs(value) < float("inf") else str(value)
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} bytes>"
        case _:
            return _cut(str(value))


def _cut(text: str) -> str:
    """Return the text, shortened, and without what UTF-8 cannot carry."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}..."


def _place_of(error: BaseException) -> str:
    """Return the innermost frames of an error: ``module:line < module:line``."""
    places: list[str] = []
    step = error.__traceback__
    while step is not None:
        module = step.tb_frame.f_globals.get("__name__", "?")
        places.append(f"{module}:{step.tb_lineno}")
        step = step.tb_next
    return " < ".join(places[: -_MAX_FRAMES - 1 : -1])
