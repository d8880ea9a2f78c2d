"""Outputs sent over loopback HTTP to a real server, into a real database."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine

from docs.generator.blocks import blocks
from monitor.clock import SystemClock
from monitor.sources.base import SourceError
from monitor.sources.http import Http
from monitor.sources.http_stream.stream import PARTITION, HttpStream, position_of
from monitor.sources.inbox import InboxSource
from monitor.sources.leases import Owner
from monitor.sources.live import Batch, Claimed, LiveSource
from monitor.storage import Store

LINES = {"Content-Type": "application/x-ndjson"}
ARRAY = {"Content-Type": "application/json"}


class At:
    """The one partition as a database knows it that holds nothing else."""

    def __init__(self, position: int | None = None, owner: str = "") -> None:
        self.position = position
        self.owner = owner
        self.held: set[str] = set()
        self.released: list[str] = []

    def lease(self, partition: str) -> Claimed:
        self.held.add(partition)
        return Claimed(position=self.position)

    def lease_if_free(self, partition: str) -> Claimed | Owner:
        if self.owner:
            return Owner(worker=self.owner, heard_of_us=0)
        return self.lease(partition)

    def is_held(self, partition: str) -> bool:
        return partition in self.held

    def lose_to(self, owner: str) -> None:
        self.owner = owner
        self.held.clear()

    def release(self, partitions: Sequence[str]) -> None:
        self.released += partitions


class Running:
    """An open stream and a client of its server."""

    def __init__(self, stream: HttpStream, host: str) -> None:
        self.stream = stream
        self.port = stream.port
        name = f"[{host}]" if ":" in host else host
        self.client = httpx.Client(base_url=f"http://{name}:{self.port}", timeout=10)

    def post(self, content: object, headers: Mapping[str, str] = LINES) -> httpx.Response:
        return self.client.post("/v1/outputs", content=content, headers=dict(headers))

    def poll(self, max_records: int = 1_000, seconds: float = 0.0) -> Batch | None:
        batches = self.stream.poll(seconds, max_records)
        assert len(batches) <= 1
        return batches[0] if batches else None

    def payloads(self) -> list[bytes]:
        """Return everything that waits."""
        found: list[bytes] = []
        while batch := self.poll():
            found += batch.payloads
        return found

    def close(self) -> None:
        self.client.close()
        self.stream.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'x.db'}") as opened:
        yield opened


@pytest.fixture
def opened(store: Store) -> Iterator[Callable[..., Running]]:
    """Return a function that opens a source on a free port; all are closed in the end."""
    running: list[Running] = []

    def start(position: int | At | None = None, **options: object) -> Running:
        source = Http(**{"port": 0, **options})
        claims = position if isinstance(position, At) else At(position)
        stream = source.open(claims, worker="w", inbox=store.inbox("m", SystemClock()))
        running.append(Running(stream, source.host))
        return running[-1]

    yield start
    for each in running:
        each.close()


def test_lines_and_arrays_are_taken_and_handed_on_byte_for_byte(opened) -> None:
    http = opened()

    lines = http.post(b'\xef\xbb\xbf{"x": 1.10}\r\n\n{"x": 12345678901234567890.0}\n')
    array = http.post(b'[{"y": 1e400,\n "z": [1]}, 0.10, "a"]', ARRAY)

    assert (lines.status_code, lines.json()) == (202, {"accepted": 2})
    assert (array.status_code, array.json()) == (202, {"accepted": 3})
    assert http.payloads() == [
        b'{"x": 1.10}',
        b'{"x": 12345678901234567890.0}',
        b'{"y": 1e400,  "z": [1]}',
        b"0.10",
        b'"a"',
    ]


def test_a_bad_line_is_taken_with_the_others_to_be_counted_as_rejected(opened) -> None:
    http = opened()

    answer = http.post(b'{"x": 1}\nnot JSON\n"\xff"\n')

    assert answer.status_code == 202
    assert http.payloads() == [b'{"x": 1}', b"not JSON", b'"\xff"']


def test_a_key_makes_repetitions_harmless_and_other_bodies_a_conflict(opened) -> None:
    http = opened()
    headers = {**LINES, "Idempotency-Key": "batch-7"}

    answers = [http.post(body, headers) for body in (b"1\n2\n", b"1\n2\n", b"1\n3\n")]

    assert [answer.status_code for answer in answers] == [202, 200, 409]
    assert answers[1].json() == {"accepted": 2}
    assert http.payloads() == [b"1", b"2"]
    assert http.post(b"1\n2\n", headers).status_code == 200
    assert http.payloads() == []


def test_without_a_key_the_same_body_is_counted_each_time(opened) -> None:
    http = opened()

    statuses = [http.post(b"1").status_code for _ in range(2)]

    assert statuses == [202, 202]
    assert http.payloads() == [b"1", b"1"]


@pytest.mark.parametrize(
    ("content", "headers", "status", "words"),
    [
        (b"{}", {}, 415, "application/json"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "application/x-ndjson"),
        (b"[]", {"Content-Type": "application/json; charset=latin-1"}, 415, "UTF-8"),
        (b"{}", {**LINES, "Content-Encoding": "gzip"}, 415, "compressed"),
        (b"{}", ARRAY, 400, "array"),
        (b"[1,]", ARRAY, 400, "trailing comma"),
        (b'["\xff"]', ARRAY, 400, "UTF-8"),
        (b"[" * 5_000, ARRAY, 400, "array"),
        (b"[]", ARRAY, 400, "at least one"),
        (b" \n", LINES, 400, "at least one"),
        (b"1", {**LINES, "Idempotency-Key": "x" * 256}, 400, "Idempotency-Key"),
        (b"1", {**LINES, "Host": "monitor.example"}, 403, "without a token"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_the_reason(
    opened, content, headers, status, words
) -> None:
    http = opened()

    answer = http.post(content, headers)

    assert answer.status_code == status
    assert words in answer.json()["error"]
    assert http.payloads() == []


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"'])
def test_utf_8_may_be_said(opened, charset) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}

    assert opened().post(b'["\xc3\xa9"]', headers).status_code == 202


def test_only_post_and_only_one_path(opened) -> None:
    http = opened()

    got, elsewhere = http.client.get("/v1/outputs"), http.client.post("/v1/output")

    assert (got.status_code, got.headers["allow"]) == (405, "POST")
    assert elsewhere.status_code == 404
    assert got.json().keys() == elsewhere.json().keys() == {"error"}


def test_the_token_must_be_shown(opened) -> None:
    http = opened(token="s3cret")

    statuses = {
        shown: http.post(b"1", {**LINES, "Authorization": shown}).status_code
        for shown in ("Bearer s3cret", "bearer s3cret", "Bearer s3cre", "Basic s3cret", "s3cret")
    }
    without = http.post(b"1")

    assert statuses == {
        "Bearer s3cret": 202,
        "bearer s3cret": 202,
        "Bearer s3cre": 401,
        "Basic s3cret": 401,
        "s3cret": 401,
    }
    assert (without.status_code, without.headers["www-authenticate"]) == (401, "Bearer")
    assert "s3cret" not in without.text
    assert http.payloads() == [b"1", b"1"]


def test_a_body_over_the_limit_is_refused_whether_its_length_is_said_or_not(opened) -> None:
    http = opened(max_body_bytes=1_024)

    fits = http.post(b"1" * 1_024)
    said = http.post(b"1" * 1_025)
    chunked = http.post(b"1" * 100 for _ in range(200))

    assert [fits.status_code, said.status_code, chunked.status_code] == [202, 413, 413]
    assert said.json() == chunked.json() == {"error": "a body must be at most 1024 bytes"}
    assert http.payloads() == [b"1" * 1_024]


def test_more_outputs_than_positions_of_a_body_are_refused(opened) -> None:
    http = opened()

    full, more = http.post(b"1\n" * (2**20 - 1)), http.post(b"1\n" * 2**20)

    assert (full.status_code, more.status_code) == (202, 413)
    assert full.json() == {"accepted": 2**20 - 1}


def raw(http: Running, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", http.port), timeout=10) as connection:
        connection.sendall(text)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
            if b'"}' in answer:
                break
        return answer


HEAD = b"POST /v1/outputs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"


def test_a_request_without_a_length_is_refused(opened) -> None:
    assert raw(opened(), HEAD + b"\r\n").startswith(b"HTTP/1.1 411 ")


def test_a_client_that_is_too_slow_is_cut_off_and_holds_nobody_up(opened) -> None:
    http = opened(max_body_seconds=0.5)
    answers: list[bytes] = []
    slow = threading.Thread(
        target=lambda: answers.append(raw(http, HEAD + b"Content-Length: 9\r\n\r\n1"))
    )

    slow.start()
    meanwhile = http.post(b"2").status_code
    slow.join()

    assert meanwhile == 202
    assert answers[0].startswith(b"HTTP/1.1 408 ")
    assert http.payloads() == [b"2"]


def test_a_client_that_goes_away_leaves_nothing_behind(opened) -> None:
    http = opened()

    with socket.create_connection(("127.0.0.1", http.port)) as connection:
        connection.sendall(HEAD + b"Content-Length: 9\r\n\r\n1\n2")

    assert http.post(b"3").status_code == 202
    assert http.payloads() == [b"3"]


def test_a_full_inbox_asks_clients_to_come_again(opened) -> None:
    http = opened(max_waiting_records=2)
    taken = http.post(b"1\n2\n").status_code

    full = http.post(b"3")
    batch = http.poll()
    http.stream.committed({"http": batch.next})
    again = http.post(b"3").status_code

    assert (taken, full.status_code, again) == (202, 429, 202)
    assert int(full.headers["retry-after"]) > 0
    assert http.payloads() == [b"3"]


def test_concurrent_posts_are_each_counted_once(opened) -> None:
    http = opened()
    statuses: list[int] = []

    def send(sender: int) -> None:
        with httpx.Client(base_url=http.client.base_url, timeout=30) as client:
            for number in range(10):
                key = f"{sender % 4}/{number}"
                body = json.dumps([key, f"{key} again"]).encode()
                headers = {**ARRAY, "Idempotency-Key": key}
                answer = client.post("/v1/outputs", content=body, headers=headers)
                statuses.append(answer.status_code)

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = http.payloads()
    assert sorted(statuses) == [200] * 40 + [202] * 40
    assert len(found) == len(set(found)) == 80


def test_a_restart_in_the_middle_of_a_body_goes_on_with_the_next_record(opened) -> None:
    first = opened()
    first.post(b"1\n2\n3\n4\n5\n")
    first.post(b"6\n")
    batch = first.poll(max_records=3)
    first.stream.committed({"http": batch.next})
    first.close()

    second = opened(batch.next)
    rest = second.poll()

    assert (batch.payloads, batch.positions) == (
        [b"1", b"2", b"3"],
        [position_of(1, 0), position_of(1, 1), position_of(1, 2)],
    )
    assert (batch.first, batch.next) == (position_of(1), position_of(1, 3))
    assert (rest.payloads, rest.first) == ([b"4", b"5", b"6"], position_of(1, 3))
    assert rest.next == position_of(3)


def test_bodies_are_dropped_only_once_they_are_counted_whole(opened, store) -> None:
    http = opened()
    http.post(b"1\n2\n")
    http.post(b"3\n")
    inbox = store.inbox("m", SystemClock())
    everything = http.poll()
    after_polling = inbox.waiting()

    http.stream.committed({"http": position_of(1, 1)})
    in_part, lag = inbox.waiting(), http.stream.lag()
    http.stream.committed({"http": everything.next})

    assert (after_polling, in_part, inbox.waiting()) == (3, 3, 0)
    assert lag == {"http": 2}
    assert http.stream.lag() == {"http": 0}


def test_what_was_never_counted_is_handed_on_again_after_a_restart(opened) -> None:
    first = opened()
    first.post(b"1\n2\n")
    before = first.payloads()
    first.close()

    assert opened().payloads() == before == [b"1", b"2"]


def test_caught_up_is_said_once_nothing_waits(opened) -> None:
    http = opened()
    at_first = http.stream.caught_up()
    http.post(b"1\n2\n")

    part = http.poll(max_records=1)
    in_between = http.stream.caught_up()
    http.poll()
    http.poll()

    assert part.payloads == [b"1"]
    assert at_first == in_between == http.stream.ended() == frozenset()
    assert http.stream.caught_up() == {"http"}


def test_a_poll_ends_as_soon_as_a_body_comes(opened) -> None:
    http = opened()
    sender = threading.Timer(0.2, lambda: http.post(b"1"))

    sender.start()
    began = time.monotonic()
    batch = http.poll(seconds=20)
    sender.join()

    assert batch.payloads == [b"1"]
    assert time.monotonic() - began < 10


def test_a_paused_stream_takes_bodies_and_hands_none_on(opened) -> None:
    http = opened()
    http.stream.pause()
    taken = http.post(b"1").status_code

    while_paused = http.poll()
    http.stream.resume()

    assert (taken, while_paused, http.payloads()) == (202, None, [b"1"])
    assert http.stream.notices() == ()


def test_while_another_worker_counts_bodies_are_taken_and_none_is_handed_on(opened) -> None:
    claims = At()
    http = opened(claims)
    http.post(b"1\n2\n")
    first = http.poll(max_records=1)
    claims.lose_to("another")

    taken = http.post(b"3")
    beside = http.poll()

    assert first is not None
    assert first.payloads == [b"1"]
    assert taken.status_code == 202
    assert beside is None
    assert http.stream.lag() == {}
    assert http.stream.caught_up() == frozenset()
    assert claims.released == [PARTITION]


def test_a_worker_that_stands_by_goes_on_where_the_other_one_left(opened, monkeypatch) -> None:
    monkeypatch.setattr("monitor.sources.http_stream.stream._TRY_SECONDS", 0.0)
    claims = At()
    http = opened(claims)
    http.post(b"1\n2\n3\n")
    http.poll(max_records=1)
    claims.lose_to("another")
    http.poll()
    (seq,) = (each.seq for each in http.stream._inbox.read_from(0, limit=9))
    claims.position, claims.owner = position_of(seq, 2), ""

    batch = http.poll()

    assert batch is not None
    assert batch.payloads == [b"3"]


def test_closing_cuts_off_bodies_that_are_not_here_yet(opened) -> None:
    http = opened()
    with socket.create_connection(("127.0.0.1", http.port), timeout=10) as connection:
        connection.sendall(HEAD + b"Content-Length: 9\r\n\r\n1")
        time.sleep(0.2)  # until the server waits for the rest

        began = time.monotonic()
        http.stream.close()

        assert connection.recv(65_536).startswith(b"HTTP/1.1 503 ")
    assert time.monotonic() - began < 5
    with pytest.raises(httpx.ConnectError):
        http.post(b"1")


def test_a_stream_whose_server_has_ended_says_so(opened) -> None:
    http = opened()
    http.stream.close()

    with pytest.raises(SourceError, match="has ended"):
        http.poll()


def test_a_database_that_is_away_is_answered_with_503_and_waited_for(opened, store) -> None:
    http = opened()
    http.post(b"1")
    engine = create_engine(f"sqlite:///{store_path(store)}")
    rename(engine, "inbox", "hidden")

    answer = http.post(b"2")
    nothing, quiet, lag = http.poll(), http.stream.caught_up(), http.stream.lag()
    http.stream.committed({"http": position_of(1)})
    rename(engine, "hidden", "inbox")
    engine.dispose()

    assert (answer.status_code, "database" in answer.json()["error"]) == (503, True)
    assert int(answer.headers["retry-after"]) > 0
    assert (nothing, quiet, lag) == (None, frozenset(), {})
    assert http.payloads() == [b"1"]


def store_path(store: Store) -> str:
    with store.reading() as connection:
        return str(connection.engine.url.database)


def rename(engine, old: str, new: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")


PAGE = Path(__file__).resolve().parents[3] / "docs/how-to/post-outputs-over-http.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_of_the_page_work_as_shown(opened, tmp_path, monkeypatch) -> None:
    http = opened(token="s3cret")
    (tmp_path / "outputs.jsonl").write_text('{"ts": 1}\n{"ts": 2}\n')
    monkeypatch.setenv("OUTPUTS_TOKEN", "s3cret")
    commands = [block.text for block in blocks(PAGE.read_text()) if "curl" in block.text]

    answers = [
        subprocess.run(
            ["/bin/sh", "-c", command.replace(":9470", f":{http.port}").strip()],
            cwd=tmp_path,
            check=True,
            stdout=subprocess.PIPE,
            timeout=30,
        ).stdout
        for command in commands
    ]

    assert answers == [b'{"accepted":2}'] * 2
    assert http.payloads()[:2] == [b'{"ts": 1}', b'{"ts": 2}']


def test_an_address_that_is_taken_is_told(opened) -> None:
    port = opened().port

    with pytest.raises(SourceError, match=rf"port {port}.*set source\.host"):
        opened(port=port)


def test_ipv6_is_served_where_the_machine_has_it(opened) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")

    assert opened(host="::1").post(b"1").status_code == 202


def test_the_source_can_be_followed_and_is_given_an_inbox() -> None:
    assert isinstance(Http(), LiveSource)
    assert isinstance(Http(), InboxSource)
    assert Http.needs_inbox
    with pytest.raises(SourceError, match=r"baseline\.reference"):
        Http().units()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_only_this_machine_may_send_without_a_token(host) -> None:
    assert Http(host=host).token == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "monitor.example"])
def test_other_addresses_need_a_token(host) -> None:
    with pytest.raises(ValueError, match="token must be given"):
        Http(host=host)

    assert Http(host=host, token="s3cret").host == host


@pytest.mark.parametrize("token", ["s3cret\n", "two words", "\u00e9"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(token) -> None:
    with pytest.raises(ValueError, match="<secret>") as raised:
        Http(token=token)

    assert token.strip() not in str(raised.value)
    assert "s3cret" not in repr(Http(token="s3cret"))
