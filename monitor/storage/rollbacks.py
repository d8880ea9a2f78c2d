"""Executions of rollback plans in the database."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from monitor.incidents.records import from_record, to_record
from monitor.rollbacks.errors import Refusal, RefusedError, RollbackError
from monitor.rollbacks.execution import Execution, Stage, Step, StepKind
from monitor.rollbacks.ledger import Armed, Lock, Switch
from monitor.storage.rollback_tables import (
    rollback_armed,
    rollback_execution,
    rollback_lock,
    rollback_step,
    rollback_switch,
)
from monitor.storage.statements import Connections, upsert

__all__ = ["RollbackRepository"]


class RollbackRepository:
    """A `monitor.rollbacks.ledger.RollbackLedger` in the database of the monitor.

    Parameters
    ----------
    writing, reading
        Give connections, `monitor.storage.Store.writing` and `monitor.storage.Store.reading`.
    """

    def __init__(self, writing: Connections, reading: Connections) -> None:
        self._writing = writing
        self._reading = reading

    @contextmanager
    def begin(self) -> Iterator[None]:
        """Make one transaction of a block."""
        with self._writing():
            yield

    def save(self, execution: Execution, steps: Iterable[Step] = ()) -> None:
        """Keep an execution and add to its steps, unless somebody else changed it meanwhile."""
        table = rollback_execution
        row = _execution_row(execution)
        with self._writing() as connection:
            of_id = select(table.c.version, table.c.body).where(table.c.id == execution.id)
            known = connection.execute(of_id.with_for_update()).one_or_none()
            if known is None:
                connection.execute(insert(table), row)
            elif known.version == execution.version - 1:
                connection.execute(update(table).where(table.c.id == execution.id).values(row))
            elif known.version != execution.version or known.body != row["body"]:
                raise _changed_meanwhile(execution)
            _append(connection, execution.id, steps)

    def load(self, execution_id: str) -> Execution:
        """Return an execution by its id or an id's unique beginning."""
        table = rollback_execution
        prefix = execution_id.lower()
        query = select(table.c.body).where(func.substr(table.c.id, 1, len(prefix)) == prefix)
        with self._reading() as connection:
            bodies = connection.scalars(query.limit(2)).all()
        if not prefix or not bodies:
            message = f"no rollback has an id that begins with {execution_id!r}"
            raise RollbackError(message)
        if len(bodies) > 1:
            message = f"more than one rollback begins with {execution_id!r}; give more characters"
            raise RollbackError(message)
        return from_record(Execution, bodies[0])

    def executions(
        self,
        *,
        target: str | None = None,
        incident_id: str | None = None,
        stages: Iterable[Stage] | None = None,
    ) -> tuple[Execution, ...]:
        """Return the executions of a target, of an incident and in some stages, oldest first."""
        table = rollback_execution
        query: Select[Any] = select(table.c.body).order_by(table.c.prepared_us, table.c.id)
        if target is not None:
            query = query.where(table.c.target == target)
        if incident_id is not None:
            query = query.where(table.c.incident_id == incident_id)
        if stages is not None:
            query = query.where(table.c.stage.in_([str(stage) for stage in stages]))
        with self._reading() as connection:
            return tuple(from_record(Execution, body) for body in connection.scalars(query))

    def steps(self, execution_id: str) -> tuple[Step, ...]:
        """Return the steps of an execution, in order."""
        table = rollback_step
        query = select(table).where(table.c.execution_id == execution_id).order_by(table.c.seq)
        with self._reading() as connection:
            return tuple(
                Step(
                    kind=StepKind(row.kind), at_us=row.at_us, actor=row.actor, body=dict(row.body)
                )
                for row in connection.execute(query)
            )

    def sent_since(self, target: str, since_us: int) -> int:
        """Return how many executions were about to be sent to a target since a time."""
        table = rollback_execution
        query = select(func.count()).where(
            table.c.target == target, table.c.applying_us >= since_us
        )
        with self._reading() as connection:
            return int(connection.scalar(query) or 0)

    def take_lock(self, lock: Lock, *, now_us: int) -> Lock:
        """Take a target if it is free, or if a lease of the same execution is over."""
        table = rollback_lock
        with self._writing() as connection:
            upsert(connection, table, [to_record(lock)], replace=False)
            # The row that is there decides; on PostgreSQL it stays locked until the commit.
            query = select(table).where(table.c.target == lock.target).with_for_update()
            held = _lock(connection.execute(query).mappings().one())
            if held.execution_id != lock.execution_id or held.owner == lock.owner:
                return held
            if held.lease_until_us > now_us:
                return held
            connection.execute(
                update(table).where(table.c.target == lock.target).values(to_record(lock))
            )
            return lock

    def lock(self, target: str) -> Lock | None:
        """Return who holds a target."""
        query = select(rollback_lock).where(rollback_lock.c.target == target)
        with self._reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _lock(row)

    def renew_lock(self, lock: Lock) -> bool:
        """Put off the end of a lease; return whether the owner still holds the target."""
        table = rollback_lock
        with self._writing() as connection:
            changed = connection.execute(
                update(table)
                .where(
                    table.c.target == lock.target,
                    table.c.execution_id == lock.execution_id,
                    table.c.owner == lock.owner,
                )
                .values(lease_until_us=lock.lease_until_us)
            )
            return bool(changed.rowcount)

    def release_lock(self, target: str, execution_id: str) -> None:
        """Give a target free."""
        table = rollback_lock
        with self._writing() as connection:
            connection.execute(
                delete(table).where(table.c.target == target, table.c.execution_id == execution_id)
            )

    def switch(self) -> Switch | None:
        """Return the last word on whether rollbacks may run, None if nobody ever said."""
        table = rollback_switch
        query = select(table.c.body).order_by(table.c.seq.desc()).limit(1)
        with self._reading() as connection:
            body = connection.scalar(query)
        return None if body is None else from_record(Switch, body)

    def turn_switch(self, switch: Switch) -> None:
        """Add a word to that."""
        table = rollback_switch
        with self._writing() as connection:
            last = connection.scalar(select(func.max(table.c.seq))) or 0
            connection.execute(insert(table), {"seq": last + 1, "body": to_record(switch)})

    def arm(self, armed: Armed) -> None:
        """Keep consent given in advance."""
        row = {
            "id": armed.id,
            "plan": armed.plan,
            "rule": armed.rule,
            "used_by": armed.used_by,
            "body": to_record(armed),
        }
        with self._writing() as connection:
            upsert(connection, rollback_armed, [row], replace=False)

    def armed(self, plan: str, rule: str) -> tuple[Armed, ...]:
        """Return the unused consents for a plan and a rule."""
        table = rollback_armed
        query = select(table.c.body).where(
            table.c.plan == plan, table.c.rule == rule, table.c.used_by.is_(None)
        )
        with self._reading() as connection:
            bodies = connection.scalars(query.order_by(table.c.id)).all()
        return tuple(from_record(Armed, body) for body in bodies)

    def consents(self) -> tuple[Armed, ...]:
        """Return every unused consent, also those that hold no longer."""
        table = rollback_armed
        query = select(table.c.body).where(table.c.used_by.is_(None)).order_by(table.c.id)
        with self._reading() as connection:
            bodies = connection.scalars(query).all()
        return tuple(from_record(Armed, body) for body in bodies)

    def disarm(self, armed_id: str) -> bool:
        """Take unused consent back; return whether it was there."""
        table = rollback_armed
        with self._writing() as connection:
            unused = delete(table).where(table.c.id == armed_id, table.c.used_by.is_(None))
            return bool(connection.execute(unused).rowcount)

    def use_armed(self, armed_id: str, execution_id: str) -> bool:
        """Use consent up; return whether it was there to be used."""
        table = rollback_armed
        with self._writing() as connection:
            changed = connection.execute(
                update(table)
                .where(table.c.id == armed_id, table.c.used_by.is_(None))
                .values(used_by=execution_id)
            )
            return bool(changed.rowcount)


def _execution_row(execution: Execution) -> dict[str, Any]:
    return {
        "id": execution.id,
        "plan": execution.plan,
        "target": execution.target,
        "incident_id": execution.incident_id,
        "stage": str(execution.stage),
        "prepared_us": execution.prepared_us,
        "applying_us": execution.applying_us,
        "version": execution.version,
        "body": to_record(execution),
    }


def _append(connection: Connection, execution_id: str, steps: Iterable[Step]) -> None:
    table = rollback_step
    last = connection.scalar(
        select(func.max(table.c.seq)).where(table.c.execution_id == execution_id)
    )
    for seq, step in enumerate(steps, (last or 0) + 1):
        row = {"execution_id": execution_id, "seq": seq, **to_record(step)}
        connection.execute(insert(table), row)


def _lock(row: Mapping[Any, Any]) -> Lock:
    return Lock(**{str(name): value for name, value in row.items()})


def _changed_meanwhile(execution: Execution) -> RefusedError:
    message = (
        f"the rollback {execution.id[:12]!r} was changed by somebody else meanwhile; look at it "
        "again"
    )
    return RefusedError(Refusal.WRONG_STAGE, message)
