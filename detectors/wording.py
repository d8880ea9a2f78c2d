"""How findings write shares, differences, numbers and names for people."""

import math

__all__ = [
    "count_text",
    "number_text",
    "plain",
    "points_text",
    "rows_text",
    "share_text",
    "times_text",
]

_LONGEST_NAME = 60


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
    """Return a value of a column with four figures.

    Examples
    --------
    >>> number_text(1400.0), number_text(0.123456), number_text(12_345_678.0)
    ('1400', '0.1235', '1.235e+07')
    """
    return f"{number:.4g}"


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
