"""Payloads that no producer should send: broken, absurd, or almost right."""

import json
import random
from collections.abc import Callable

from hypothesis import strategies as st

__all__ = ["batches_of_payloads", "good_payload"]

SECONDS_AROUND = 7_200
DEEP = 100_000
LONG = 2_000_000

_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(st.characters(), max_size=30)
)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def good_payload(number: int, seconds: float, draw: random.Random) -> bytes:
    """Return an output of that time, as a producer should send it."""
    record = {
        "at": seconds,
        "id": f"e{number}",
        "amount": draw.gauss(0, 1),
        "count": draw.randrange(100),
        "topic": draw.choice("abc"),
        "region": draw.choice(("eu", "us")),
        "sex": draw.choice(("f", "m")),
        "answer": draw.random() < 0.5,
        "score": draw.random(),
        "text": "word " * draw.randrange(20),
        "weight": draw.choice((1, 2)),
        "checks": [{"name": "toxicity", "status": "pass", "score": draw.random()}],
    }
    return json.dumps(record).encode()


def _cut(payload: bytes, draw: random.Random) -> bytes:
    return payload[: draw.randrange(len(payload))]


def _flip(payload: bytes, draw: random.Random) -> bytes:
    changed = bytearray(payload)
    for _ in range(draw.randrange(1, 4)):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def _splice(payload: bytes, draw: random.Random) -> bytes:
    pieces = (b"null", b"[]", b"{}", b'"', b"\\", b"\x00", b"1e999", b"-", b"NaN", b",", b"\xff")
    position = draw.randrange(len(payload))
    return payload[:position] + draw.choice(pieces) + payload[position + draw.randrange(3) :]


def _retype(payload: bytes, draw: random.Random) -> bytes:
    record = json.loads(payload)
    others = (None, True, [], {}, [[1]], {"a": {}}, "", "x", -0.0, 1e308, 10**400, -(2**70), "1e9")
    for name in draw.sample(sorted(record), draw.randrange(1, 4)):
        record[name] = draw.choice(others)
    return json.dumps(record).encode()


def _drop(payload: bytes, draw: random.Random) -> bytes:
    record = json.loads(payload)
    del record[draw.choice(sorted(record))]
    return json.dumps(record).encode()


def _repeat_keys(payload: bytes, draw: random.Random) -> bytes:
    return payload[:-1] + b', "region": "us", "at": %d}' % draw.randrange(2**34)


def _move(payload: bytes, draw: random.Random) -> bytes:
    record = json.loads(payload)
    odd = (0, -1, 1e-300, 1e18, 253402300800, "2026-02-30T00:00:00Z", "99999-01-01", "now", 1e9)
    record["at"] = draw.choice(odd)
    return json.dumps(record).encode()


def _level(payload: bytes, draw: random.Random) -> bytes:
    record = json.loads(payload)
    for name in ("region", "topic", "sex"):
        record[name] = "".join(chr(draw.randrange(1, 0xD7FF)) for _ in range(draw.randrange(40)))
    return json.dumps(record, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")


def _surrogate(payload: bytes, draw: random.Random) -> bytes:
    return payload.replace(b'"eu"', rb'"\ud800"').replace(b'"e', rb'"\udfff')


def _long(payload: bytes, draw: random.Random) -> bytes:
    if draw.random() < 0.98:
        return payload
    name = draw.choice((b"id", b"region", b"text", b"unknown"))
    return payload[:-1] + b', "' + name + b'": "' + b"x" * draw.randrange(LONG) + b'"}'


def _deep(payload: bytes, draw: random.Random) -> bytes:
    if draw.random() < 0.9:
        return payload
    depth = draw.randrange(DEEP)
    opening, closing = draw.choice(((b"[", b"]"), (b'{"a":', b"}")))
    nested = opening * depth + (closing * depth if draw.random() < 0.5 else b"")
    return payload[:-1] + b', "checks": ' + nested + b"}"


def _blank(payload: bytes, draw: random.Random) -> bytes:
    return draw.choice((b"", b" ", b"\n", b"\xef\xbb\xbf" + payload, b"\n" + payload + b"\n\n"))


def _same(payload: bytes, draw: random.Random) -> bytes:
    return payload


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _same, _same, _same, _cut, _flip, _splice, _retype, _drop, _repeat_keys, _move, _level,
    _surrogate, _long, _deep, _blank,
)  # fmt: skip


def _mutated(seed: int, size: int, seconds: float) -> list[bytes]:
    """Return good payloads, most of them spoilt once or twice."""
    draw = random.Random(seed)
    spoilt = draw.random()
    found = []
    for _ in range(size):
        moment = seconds - SECONDS_AROUND * draw.random() ** 4
        payload = good_payload(draw.randrange(10 * size + 1), moment, draw)
        if draw.random() < spoilt:
            payload = draw.choice(MUTATIONS)(payload, draw) or b"0"
            if draw.random() < 0.2:
                payload = _flip(payload, draw)
        found.append(payload)
    return found


def _dumped(record: object) -> bytes:
    return json.dumps(record).encode("utf-8", "surrogatepass")


@st.composite
def _almost_right(draw: st.DrawFn, seconds: float) -> bytes:
    record = json.loads(good_payload(draw(st.integers(0, 99)), seconds, random.Random(1)))
    changes = draw(st.dictionaries(st.sampled_from(sorted(record)), _values, max_size=4))
    return _dumped(record | changes)


def batches_of_payloads(seconds: float, *, max_mutated: int) -> st.SearchStrategy[list[bytes]]:
    """Return batches of payloads about a time: random bytes, random JSON, spoilt outputs."""
    single = st.binary(max_size=100) | _values.map(_dumped) | _almost_right(seconds)
    mutated = st.builds(
        _mutated, st.integers(0, 2**64), st.integers(1, max_mutated), st.just(seconds)
    )
    return st.lists(single, max_size=12) | mutated | mutated
