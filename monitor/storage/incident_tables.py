"""The tables of the response to incidents: signals, timers, silences, and the vault."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table

from monitor.storage.tables import BODY, HASH, WORDS, metadata

__all__ = ["incident_key", "incident_secret", "incident_signal", "incident_timer", "silence"]

# Every signal that an incident ever held, so that a breach finds what came of it before
# without reading all incidents.
incident_signal = Table(
    "incident_signal",
    metadata,
    Column("fingerprint", HASH, primary_key=True),
    Column("incident_id", HASH, primary_key=True),
)

incident_timer = Table(
    "incident_timer",
    metadata,
    Column("id", HASH, primary_key=True),
    Column("monitor", WORDS, nullable=False),
    Column("incident_id", HASH, nullable=False),
    Column("kind", WORDS, nullable=False),
    Column("step", Integer, nullable=False),
    Column("tier", WORDS, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    # Whoever fires it holds it until then; if that program dies, another one takes over.
    Column("leased_until_us", BigInteger),
    Column("fired_us", BigInteger),
    Column("cancelled_us", BigInteger),
    Column("late", Boolean, nullable=False),
    Index(None, "monitor", "due_us"),
    Index(None, "incident_id"),
)

silence = Table(
    "silence",
    metadata,
    Column("id", HASH, primary_key=True),
    Column("monitor", WORDS, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("body", BODY, nullable=False),
    Index(None, "monitor", "until_us"),
)

incident_key = Table(
    "incident_key",
    metadata,
    Column("incident_id", HASH, primary_key=True),
    # None once it was destroyed: nobody can read the contents any more.
    Column("key", LargeBinary),
    Column("destroyed_us", BigInteger),
)

incident_secret = Table(
    "incident_secret",
    metadata,
    Column("incident_id", HASH, primary_key=True),
    Column("commitment", HASH, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
