"""An incident in words, and which of its signals speaks for it."""

from typing import Final

from detectors.base import FailureMode
from monitor.incidents.model import Signal, SignalKind

__all__ = ["leading_signal", "slice_words", "title_of"]

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
    """Return one line: what departed, by how much, where, and how many signals more."""
    lead = leading_signal(signals)
    identity = lead.identity
    where = slice_words(identity.slice)
    if identity.kind is SignalKind.CANNOT_SEE:
        what = f"cannot see {identity.series} on {where}"
    else:
        size = (
            f" at least {lead.worst.size:.1f} times the tolerance" if lead.worst.departure else ""
        )
        what = f"{identity.series}{size} on {where}"
    more = sum(1 for signal in signals if not signal.inhibited_by) - 1
    others = f", and {more} more signal{'s' if more > 1 else ''}" if more > 0 else ""
    return f"{identity.failure_mode.value.capitalize()}: {what}{others}"
