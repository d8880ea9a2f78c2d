"""The tables of rollbacks: executions and their steps, locks, consent in advance, the switch."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table

from monitor.storage.tables import BODY, HASH, WORDS, metadata

__all__ = [
    "rollback_armed",
    "rollback_execution",
    "rollback_lock",
    "rollback_step",
    "rollback_switch",
]

rollback_execution = Table(
    "rollback_execution",
    metadata,
    Column("id", HASH, primary_key=True),
    Column("plan", WORDS, nullable=False),
    Column("target", WORDS, nullable=False),
    Column("incident_id", HASH),
    Column("stage", WORDS, nullable=False),
    Column("prepared_us", BigInteger, nullable=False),
    # When it was about to be sent; none if it never was.
    Column("applying_us", BigInteger),
    Column("version", Integer, nullable=False),
    Column("body", BODY, nullable=False),
    Index(None, "target", "applying_us"),
    Index(None, "incident_id"),
)

rollback_step = Table(
    "rollback_step",
    metadata,
    Column("execution_id", HASH, ForeignKey("rollback_execution.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", WORDS, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("actor", WORDS, nullable=False),
    Column("body", BODY, nullable=False),
)

rollback_lock = Table(
    "rollback_lock",
    metadata,
    Column("target", WORDS, primary_key=True),
    Column("execution_id", HASH, ForeignKey("rollback_execution.id"), nullable=False),
    Column("owner", WORDS, nullable=False),
    Column("lease_until_us", BigInteger, nullable=False),
)

rollback_armed = Table(
    "rollback_armed",
    metadata,
    Column("id", HASH, primary_key=True),
    Column("plan", WORDS, nullable=False),
    Column("rule", WORDS, nullable=False),
    Column("used_by", HASH),
    Column("body", BODY, nullable=False),
    Index(None, "plan", "rule"),
)

rollback_switch = Table(
    "rollback_switch",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", BODY, nullable=False),
)
