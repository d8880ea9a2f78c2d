"""How findings write shares, differences, numbers and names for people."""

import math

__all__ = [
    "count_text",
    "number_text",
    "plain",
    "points_text",
    "rate_words",
    "rows_text",
    "share_text",
    "times_text",
]

_LONGEST_NAME = 60
_WRITTEN_OUT = (1e-6, 1e12)


def share_text(share: float, *, exact: bool = False) -> str:
    """Return a share as a percentage, with two figures unless `exact`.

    Examples
    --------
    >>> share_text(0.214), share_text(0.0213), share_text(0.00004), share_text(0.0)
    ('21 %', '2.1 %', 'under 0.01 %', '0 %')
    >>> share_text(0.125), share_text(0.125, exact=True)
    ('12 %', '12.5 %')
    """
    percent = 100 * share
    if exact:
        return f"{percent:.6g} %"
    if percent != 0 and abs(percent) < 0.01:
        return "under 0.01 %"
    return f"{_figures(percent)} %"


def points_text(difference: float, *, exact: bool = False) -> str:
    """Return a difference of shares in percentage points, two figures unless `exact`.

    Examples
    --------
    >>> points_text(0.0213), points_text(0.01)
    ('2.1 points', '1 point')
    """
    points = 100 * difference
    text = f"{points:.6g}" if exact else _figures(points)
    return f"{text} point" if text == "1" else f"{text} points"


def times_text(ratio: float, *, exact: bool = False) -> str:
    """Return a ratio in words, with two figures unless `exact`.

    Examples
    --------
    >>> times_text(2.13), times_text(1000.0)
    ('2.1 times', '1 000 times')
    >>> times_text(1.25, exact=True)
    '1.25 times'
    """
    return f"{ratio:.6g} times" if exact else f"{_figures(ratio)} times"


def rows_text(rows: int, noun: str = "outputs") -> str:
    """Return a number of rows with its noun, in the plural unless it is one.

    Examples
    --------
    >>> rows_text(1), rows_text(12345)
    ('1 output', '12 345 outputs')
    """
    return f"{count_text(rows)} {noun.removesuffix('s') if rows == 1 else noun}"


def count_text(count: int) -> str:
    """Return an integer with its thousands apart.

    Examples
    --------
    >>> count_text(12345)
    '12 345'
    """
    return f"{count:,}".replace(",", " ")


def number_text(number: float) -> str:
    """Return a value of a column with four figures, as people write it.

    Powers of ten appear only where the digits would be too many to read.

    Examples
    --------
    >>> number_text(1400.0), number_text(0.123456), number_text(12_345_678.0)
    ('1400', '0.1235', '12 350 000')
    >>> number_text(-23456.0), number_text(1e18), number_text(0.0)
    ('-23 460', '1e+18', '0')
    """
    text = f"{number:.4g}"
    if "e" not in text or not _WRITTEN_OUT[0] <= abs(number) < _WRITTEN_OUT[1]:
        whole = abs(number) >= 10_000 and "e" not in text
        return count_text(int(float(text))) if whole else text
    if abs(number) < 1:
        return f"{float(text):.9f}".rstrip("0")
    return count_text(int(float(text)))


def rate_words(*, favourable: bool) -> str:
    """Return what the rate of an outcome is called: only what people want is a selection.

    Examples
    --------
    >>> rate_words(favourable=True), rate_words(favourable=False)
    ('selection rate', 'rate')
    """
    return "selection rate" if favourable else "rate"


def plain(name: str) -> str:
    r"""Return a name or level from the data, made safe for one line of text.

    Characters that do not print become spaces; a long name is cut.

    Examples
    --------
    >>> plain("de\nDE"), len(plain("x" * 500))
    ('de DE', 60)
    """
    text = "".join(letter if letter.isprintable() else " " for letter in name)
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def _figures(number: float) -> str:
    size = abs(number)
    if size >= 1000:
        return f"{number:,.0f}".replace(",", " ")
    if size >= 10:
        return f"{number:.0f}"
    digits = 1 if size >= 1 or size == 0 else 1 - math.floor(math.log10(size))
    text = f"{number:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
