"""Triggers that let nobody change the timeline of an incident, not even through SQL.

A trigger on insert is needed as well: SQLite's ``INSERT OR REPLACE`` fires no trigger on
delete, and would put a new entry in an old one's place.
"""

from alembic import op

__all__ = ["guard_timeline"]

_NEXT = (
    "(SELECT COALESCE(MAX(seq), 0) + 1 FROM incident_entry WHERE incident_id = NEW.incident_id)"
)

_SQLITE = (
    """CREATE TRIGGER incident_entry_no_update BEFORE UPDATE ON incident_entry
    BEGIN SELECT RAISE(ABORT, 'a timeline entry cannot be changed; add a correction'); END""",
    """CREATE TRIGGER incident_entry_no_delete BEFORE DELETE ON incident_entry
    BEGIN SELECT RAISE(ABORT, 'a timeline entry cannot be deleted'); END""",
    f"""CREATE TRIGGER incident_entry_next_seq BEFORE INSERT ON incident_entry
    WHEN NEW.seq IS NOT {_NEXT}
    BEGIN SELECT RAISE(ABORT, 'a timeline entry must take the next number'); END""",
)

_POSTGRESQL = (
    """CREATE FUNCTION incident_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'a timeline entry cannot be changed or deleted; add a correction';
    END $$""",
    f"""CREATE FUNCTION incident_entry_next() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.seq IS DISTINCT FROM {_NEXT} THEN
        RAISE EXCEPTION 'a timeline entry must take the next number';
      END IF;
      RETURN NEW;
    END $$""",
    """CREATE TRIGGER incident_entry_no_change BEFORE UPDATE OR DELETE ON incident_entry
    FOR EACH ROW EXECUTE FUNCTION incident_entry_refuse()""",
    """CREATE TRIGGER incident_entry_no_truncate BEFORE TRUNCATE ON incident_entry
    FOR EACH STATEMENT EXECUTE FUNCTION incident_entry_refuse()""",
    """CREATE TRIGGER incident_entry_next_seq BEFORE INSERT ON incident_entry
    FOR EACH ROW EXECUTE FUNCTION incident_entry_next()""",
)


def guard_timeline() -> None:
    """Create the triggers for the database at hand."""
    dialect = op.get_bind().dialect.name
    for statement in _POSTGRESQL if dialect == "postgresql" else _SQLITE:
        op.execute(statement)
