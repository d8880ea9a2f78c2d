"""Validation of one section: a dataclass's fields are its options.

The dataclass stays free of any validator. `form_of` derives a strict model from its fields,
with the constraints that stand in their annotations, and caches it.
"""

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from monitor.config.descriptions import described_parameters
from monitor.config.document import Document, Location
from monitor.config.messages import Complaint, complaint, found
from monitor.config.problems import Problem

__all__ = ["Reader", "form_of", "option_names"]

T = TypeVar("T")


@functools.cache
def form_of(cls: type) -> type[BaseModel]:
    """Return the strict model whose fields are the options of a dataclass."""
    hints = get_type_hints(cls, include_extras=True)
    descriptions = described_parameters(cls)
    options: dict[str, Any] = {}
    for option in dataclasses.fields(cls):
        if option.init:
            description = descriptions.get(option.name)
            options[option.name] = (hints[option.name], _default(option, description))
    settings = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=()
    )
    return create_model(cls.__name__, __config__=settings, **options)


def _default(option: "dataclasses.Field[Any]", description: str | None) -> object:
    if option.default_factory is not dataclasses.MISSING:
        return Field(default_factory=option.default_factory, description=description)
    if option.default is not dataclasses.MISSING:
        return Field(default=option.default, description=description)
    return Field(description=description)


def option_names(cls: type) -> list[str]:
    """Return the options of a dataclass as a document spells them."""
    fields = form_of(cls).model_fields
    return [field.alias or name for name, field in fields.items()]


class Reader:
    """Reads sections of one document and gathers what is wrong with them.

    Parameters
    ----------
    document
        Its own problems are taken over.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = list(document.problems)
        self._unreadable = {problem.place.option for problem in document.problems}

    def wrong(self, location: Location, message: str, *, missing: bool = False) -> None:
        """Note a problem at `location`, unless the value there could not even be read."""
        place = self.document.place(location, missing=missing)
        if place.option not in self._unreadable:
            self.problems.append(Problem(place, message))

    def read(
        self,
        cls: type[T],
        values: object,
        location: Location,
        *,
        besides: Sequence[str] = (),
        places: Mapping[str, Location] | None = None,
    ) -> T | None:
        """Return `cls` made from the options in `values`, or None after noting what is wrong.

        Parameters
        ----------
        cls
            A dataclass.
        values
            A mapping of options, if the document is right; it stands at `location`.
        besides
            Options that the mapping had and that were read already, for advice.
        places
            Where options stand that do not stand at `location`.
        """
        dataclass: type = cls
        try:
            form = form_of(dataclass).model_validate_json(json.dumps(values))
        except ValidationError as error:
            self._note(error, cls, location, besides, places or {})
            return None
        options = {name: getattr(form, name) for name in type(form).model_fields}
        try:
            return cls(**options)
        except ValueError as error:
            self.wrong(location, str(error))
            return None

    def _note(
        self,
        error: ValidationError,
        cls: type,
        location: Location,
        besides: Sequence[str],
        places: Mapping[str, Location],
    ) -> None:
        secret = {option.name for option in dataclasses.fields(cls) if not option.repr}
        complaints: dict[tuple[Location, str], list[Complaint]] = {}
        for detail in error.errors(include_url=False):
            inner = detail["loc"][:-1]
            options = _known_options(cls, inner)
            known = options if inner else dict.fromkeys([*besides, *options])
            made = complaint(detail, list(known))
            here = (*location, *detail["loc"])
            if detail["loc"] and detail["loc"][0] in places:
                here = (*places[str(detail["loc"][0])], *detail["loc"][1:])
            if not made.missing:
                here = self._existing(here)
            got = "<secret>" if secret.intersection(detail["loc"]) else found(detail["input"])
            complaints.setdefault((here, got), []).append(made)
        for (here, got), several in complaints.items():
            self._say(here, got, several)

    def _say(self, here: Location, got: str, several: list[Complaint]) -> None:
        """Note the complaints about one value; those of a union's members become one."""
        either = " or ".join(dict.fromkeys(each.must for each in several if each.must))
        if either:
            advice = "".join(each.advice for each in several)
            self.wrong(here, f"must be {either}, got {got}{advice}")
            return
        for each in several:
            self.wrong(here, each.text, missing=each.missing)

    def _existing(self, location: Location) -> Location:
        """Return the part of `location` that the document has: no names of union members."""
        while location and location not in self.document.marks:
            location = location[:-1]
        return location


def _known_options(cls: type, inner: tuple[int | str, ...]) -> list[str]:
    """Return the options of `cls`, or of the dataclass or list of them that an option holds."""
    hints = get_type_hints(cls)
    for part in inner:
        held = hints.get(str(part))
        for each in (held, *get_args(held)):
            if isinstance(each, type) and dataclasses.is_dataclass(each):
                return option_names(each)
    return option_names(cls)
