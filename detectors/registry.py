"""Components by name: registered by a decorator, found by scanning and by entry points."""

import dataclasses
import importlib
import importlib.metadata
import pkgutil
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from detectors.base import Detector

__all__ = ["DETECTORS", "Registry", "detector", "registered_detectors"]

T = TypeVar("T")
_C = TypeVar("_C")


class Registry(Generic[T]):
    """The components of one kind.

    Parameters
    ----------
    kind
        What they are called in messages, for example ``detector``.
    package
        The package whose modules are imported to find them.
    entry_points
        The group in which other distributions name modules of their own.
    """

    def __init__(self, *, kind: str, package: str, entry_points: str) -> None:
        self.kind = kind
        self.package = package
        self.entry_points = entry_points
        self._classes: dict[str, type[T]] = {}
        self._scanned = False

    def register(self, cls: type[_C]) -> type[_C]:
        """Register a dataclass under its class attribute `name`.

        Raises
        ------
        TypeError
            If the class is not a dataclass, or another class has that name.
        """
        if not dataclasses.is_dataclass(cls):
            message = f"{self.kind} {cls.__name__!r} must be a dataclass; register it above that"
            raise TypeError(message)
        component: Any = cls
        name: str = component.name
        known = self._classes.get(name)
        if known is not None and known.__module__ != cls.__module__:
            message = (
                f"two {self.kind}s are called {name!r}: in {known.__module__} and "
                f"in {cls.__module__}; rename one"
            )
            raise TypeError(message)
        self._classes[name] = component
        return cls

    def all(self) -> Mapping[str, type[T]]:
        """Return every component by name, in order of name."""
        if not self._scanned:
            self._scan()
            self._scanned = True
        return dict(sorted(self._classes.items()))

    def _scan(self) -> None:
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__, f"{self.package}."):
            if not module.ispkg:
                importlib.import_module(module.name)
        for entry_point in importlib.metadata.entry_points(group=self.entry_points):
            entry_point.load()


DETECTORS: Registry[Detector] = Registry(
    kind="detector", package="detectors", entry_points="outputwatch.detectors"
)


def detector(cls: type[_C]) -> type[_C]:
    """Register a frozen dataclass as the detector called `cls.name`."""
    return DETECTORS.register(cls)


def registered_detectors() -> Mapping[str, type[Detector]]:
    """Return every detector by name: this package's, then those of entry points."""
    return DETECTORS.all()
