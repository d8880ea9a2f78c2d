"""What must hold between sections."""

from collections.abc import Sequence

from baselines.schema import Role, Schema
from monitor.config.document import Location
from monitor.config.forms import Reader
from monitor.config.model import ReferenceSettings, SliceSettings
from monitor.config.problems import did_you_mean
from monitor.windows.spec import TumblingWindows, WindowSpec

__all__ = ["check_attributes", "check_reference", "check_slices", "check_time"]


def check_time(reader: Reader, schema: Schema, windows: WindowSpec | None) -> None:
    """Note a schema whose events have no time, where time is what cuts the events."""
    if schema.only(Role.TIMESTAMP) is not None:
        return
    message = "needs a column of the schema with role 'timestamp'"
    if isinstance(windows, TumblingWindows):
        reader.wrong(("windows", "type"), f"{message}; windows by number have type 'count'")
    for option in ("from", "to"):
        here: Location = ("baseline", "reference", option)
        if here in reader.document.marks:
            reader.wrong(here, message)


def check_attributes(reader: Reader, attributes: Sequence[str], schema: Schema) -> None:
    """Note protected attributes that are not group columns."""
    groups = [column.name for column in schema.with_role(Role.GROUP)]
    for index, attribute in enumerate(attributes):
        here: Location = ("system", "protected_attributes", index)
        if attribute in schema and attribute not in groups:
            role = schema[attribute].role.value
            reader.wrong(here, f"column {attribute!r} must have the role 'group', got {role!r}")
        elif attribute not in schema:
            reader.wrong(here, f"unknown column {attribute!r}{_advice(attribute, groups)}")


def check_slices(reader: Reader, slices: SliceSettings, schema: Schema) -> None:
    """Note slices by columns that are not there, or are not counted on levels."""
    fitting = [column.name for column in schema if column.is_category]
    seen: dict[tuple[str, ...], Location] = {}
    for index, names in enumerate(slices.by):
        here: Location = ("slices", "by", index)
        if not names or len(set(names)) < len(names):
            reader.wrong(here, f"must name different columns, got {list(names)!r}")
        if names in seen:
            first = reader.document.place(seen[names])
            reader.wrong(here, f"must be given once, {list(names)!r} is also at {first}")
        seen.setdefault(names, here)
        for position, name in enumerate(names):
            if name not in schema:
                message = f"unknown column {name!r}{_advice(name, fitting)}"
                reader.wrong((*here, position), message)
            elif name not in fitting:
                role = schema[name].role.value
                message = f"column {name!r} must be a category, got role {role!r}"
                reader.wrong((*here, position), message)


def check_reference(reader: Reader, reference: ReferenceSettings) -> None:
    """Note a reference period that ends before it begins."""
    if reference.from_us is None or reference.to_us is None:
        return
    if reference.from_us >= reference.to_us:
        reader.wrong(("baseline", "reference", "to"), "must be later than 'from'")


def _advice(name: str, fitting: Sequence[str]) -> str:
    advice = did_you_mean(name, fitting)
    if advice or not fitting:
        return advice or "; no column fits"
    return f"; columns that fit: {', '.join(fitting)}"
