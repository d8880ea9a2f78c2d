"""An incident in words, and which of its signals speaks for it."""

import math
from typing import Final
from urllib.parse import unquote

from detectors.base import FailureMode
from monitor.incidents.observations import Signal, SignalKind

__all__ = ["leading_signal", "slice_words", "title_of"]

_LONGEST_TITLE: Final = 99
_LONGEST_PLACE: Final = 30

_MODE_ORDER: Final = (
    FailureMode.SAFETY,
    FailureMode.BIAS,
    FailureMode.PERFORMANCE,
    FailureMode.BEHAVIOURAL,
)


def leading_signal(signals: tuple[Signal, ...]) -> Signal:
    """Return the most severe signal; at equal tiers safety, bias, performance, behaviour."""
    return min(
        signals,
        key=lambda signal: (
            bool(signal.inhibited_by),
            signal.suggestion.tier.rank,
            _MODE_ORDER.index(signal.identity.failure_mode),
            signal.suggestion.could_be.rank,
            -signal.worst.size,
            signal.identity.slice != "all",
            signal.identity.slice,
            signal.identity.series,
        ),
    )


def slice_words(slice_: str) -> str:
    """Return a slice as people say it.

    Examples
    --------
    >>> slice_words("all"), slice_words("region=EU")
    ('all traffic', 'region=EU')
    """
    return "all traffic" if slice_ == "all" else slice_


def title_of(signals: tuple[Signal, ...]) -> str:
    """Return one line of at most 99 characters: what departed, where, how far, what else.

    It is made of the leading signal's worst window, in words of its detector; the names of
    series are for the table of signals. What is too long is cut at the end of what departed.
    """
    lead = leading_signal(signals)
    identity = lead.identity
    what = lead.worst.headline or identity.series
    if identity.kind is SignalKind.CANNOT_SEE:
        what = f"cannot see {what}"
    elif identity.kind is SignalKind.LOST:
        what = f"lost {what}"
    elif identity.kind is SignalKind.NOT_READY:
        what = f"not ready: {what}"
    mode = f"{identity.failure_mode.value.capitalize()}: "
    rest = f"{_place(identity.slice)}{_size(lead)}"
    more = sum(1 for signal in signals if not signal.inhibited_by) - 1
    others = f", and {more} more signal{'s' if more > 1 else ''}" if more > 0 else ""
    if len(mode) + len(what) + len(rest) + len(others) <= _LONGEST_TITLE:
        return f"{mode}{what}{rest}{others}"
    return f"{mode}{_cut(what, _LONGEST_TITLE - len(mode) - len(rest))}{rest}"


def _place(slice_: str) -> str:
    """Return where, after what departed; nothing for all traffic.

    Examples
    --------
    >>> _place("region=EU,language=en"), _place("all")
    (' in region EU, language en', '')
    """
    if slice_ == "all":
        return ""
    words = ", ".join(part.replace("=", " ", 1) for part in slice_.split(","))
    return f" in {_cut(unquote(words), _LONGEST_PLACE)}"


def _size(lead: Signal) -> str:
    departure = lead.worst.departure
    if departure is None or lead.identity.kind is SignalKind.CANNOT_SEE:
        return ""
    if not math.isfinite(departure.value):
        return ", far beyond the tolerance"
    return f", {departure.value:.3g} times the tolerance"


def _cut(text: str, length: int) -> str:
    return (
        text
        if len(text) <= length
        else f"{text[: length - 1].rstrip(' ,:')}\N{HORIZONTAL ELLIPSIS}"
    )
