"""Which incident holds which signal, and since when windows are judged as they are now."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WORDS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
HASH = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
IDENTITY = ("system", "environment", "failure_mode", "series", "slice", "baseline_id", "kind")


def upgrade() -> None:
    table = op.create_table(
        "incident_signal",
        sa.Column("fingerprint", HASH, nullable=False),
        sa.Column("incident_id", HASH, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "incident_id", name="pk_incident_signal"),
    )
    op.add_column("monitor", sa.Column("begun_us", sa.BigInteger(), nullable=True))
    connection = op.get_bind()
    known = connection.execute(sa.text("SELECT id, body FROM incident")).all()
    rows = [
        {"fingerprint": fingerprint, "incident_id": incident_id}
        for incident_id, body in known
        for fingerprint in sorted(set(_fingerprints(body)))
    ]
    if rows:
        connection.execute(sa.insert(table), rows)


def _fingerprints(body: str | dict[str, Any]) -> Iterator[str]:
    # SQLite gives the text of a JSON column here, PostgreSQL what it says.
    incident = json.loads(body) if isinstance(body, str) else body
    for signal in incident["signals"]:
        parts = (str(signal["identity"][name]) for name in IDENTITY)
        yield hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
