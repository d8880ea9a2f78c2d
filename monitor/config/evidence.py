"""What is kept of outputs when an incident opens: the ``evidence`` section."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

import annotated_types as at

from baselines.schema import Schema
from monitor.config.document import Location
from monitor.config.forms import Reader
from monitor.config.problems import did_you_mean

__all__ = ["RELEASE_PARTS", "EvidenceSettings", "read_evidence"]

RELEASE_PARTS: Final = ("model", "prompt", "configuration", "guardrail")
"""What a release is made of; a part that nobody names is listed as unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSettings:
    """What is kept of outputs when an incident opens, besides the counts that are always kept.

    Parameters
    ----------
    sample_rows
        Outputs of the incident's first windows that are kept, at most; 0 keeps none. They may
        hold personal data: they are encrypted, each incident with a key of its own, and
        ``outputwatch incident erase`` destroys that key.
    strata
        The sample is spread evenly over the values of these columns. None: the columns of
        ``slices.by``, and those with the role of a prediction.
    columns
        The columns that are kept; None: all.
    release
        For each part of a release (``model``, ``prompt``, ``configuration``, ``guardrail`` or
        others) the column that holds its version: which versions were served is written down.
    declared
        The versions of parts that no column holds, as you state them here.
    """

    sample_rows: Annotated[int, at.Ge(0), at.Le(10_000)] = 0
    strata: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    release: Mapping[str, str] = field(default_factory=dict)
    declared: Mapping[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> bool:
        """Return whether anything is to be kept."""
        return bool(self.sample_rows or self.release or self.declared)

    @property
    def unknown_parts(self) -> tuple[str, ...]:
        """Return the usual parts of a release that are neither in a column nor declared."""
        known = {*self.release, *self.declared}
        return tuple(part for part in RELEASE_PARTS if part not in known)


def read_evidence(
    reader: Reader, section: object, schema: Schema | None
) -> EvidenceSettings | None:
    """Return the section, or None after noting what is wrong."""
    settings = reader.read(EvidenceSettings, section, ("evidence",))
    if settings is None or schema is None:
        return settings
    named: list[tuple[Location, str]] = []
    for option in ("strata", "columns"):
        listed: Iterable[str] = getattr(settings, option) or ()
        named += [(("evidence", option, index), name) for index, name in enumerate(listed)]
    named += [(("evidence", "release", part), name) for part, name in settings.release.items()]
    for here, name in named:
        if name not in schema:
            message = f"unknown column {name!r}{did_you_mean(name, [c.name for c in schema])}"
            reader.wrong(here, message)
        elif here[1] == "strata" and not schema[name].is_category:
            role = schema[name].role.value
            message = f"column {name!r} must be a category, got role {role!r}"
            reader.wrong(here, message)
    return settings
