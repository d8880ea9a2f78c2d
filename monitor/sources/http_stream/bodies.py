"""The two forms of a body, as lines: one record each, byte for byte as it was sent."""

import msgspec

__all__ = ["BodyError", "lines_of_array", "lines_of_json_lines"]

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


class BodyError(ValueError):
    """A body holds no records that could be kept."""


def lines_of_array(body: bytes) -> tuple[bytes, ...]:
    """Return the elements of a JSON array, numbers as they were written.

    Raises
    ------
    BodyError
        If the body is not UTF-8, or not one JSON array.

    Examples
    --------
    >>> lines_of_array(b'[{"x": 1.10}, 12345678901234567890.0]')
    (b'{"x": 1.10}', b'12345678901234567890.0')
    """
    text = body.removeprefix(_BOM)
    try:
        # The parser does not look into texts that it hands on raw.
        text.decode()
        elements = _ARRAY.decode(text)
    except UnicodeDecodeError as error:
        message = f"the body must be UTF-8: {error.reason} at byte {error.start}"
        raise BodyError(message) from error
    except (msgspec.MsgspecError, RecursionError) as error:
        message = f"the body must be one JSON array of outputs: {error}"
        raise BodyError(message) from error
    # In valid JSON a newline stands between values only, never in a text.
    return tuple(bytes(each).translate(_ON_ONE_LINE) for each in elements)


def lines_of_json_lines(body: bytes) -> tuple[bytes, ...]:
    r"""Return the lines that are not blank; what is wrong with one is found when it is counted.

    Examples
    --------
    >>> newline = bytes([10])
    >>> lines_of_json_lines(newline.join([b'{"x": 1}', b"", b"not JSON"]))
    (b'{"x": 1}', b'not JSON')
    """
    lines = (line.strip(_SPACE) for line in body.removeprefix(_BOM).split(b"\n"))
    return tuple(line for line in lines if line)
