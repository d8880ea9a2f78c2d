"""Refuses to start beside another distribution that owns one of our import packages.

``detectors`` and ``baselines`` are ordinary words, and installers overwrite one distribution's
package by another's without a word. This module imports nothing of ours, so that it can say so
before anything fails on the wrong code.
"""

import importlib

__all__ = ["installation_problem"]

_DISTRIBUTION = "outputwatch"
_PACKAGES = ("baselines", "detectors")


def installation_problem() -> str | None:
    """Return one sentence about an import package that is not ours, None if all are."""
    for package in _PACKAGES:
        try:
            module = importlib.import_module(package)
        except Exception:
            found = None
        else:
            found = getattr(module, "__distribution__", None)
        if found != _DISTRIBUTION:
            return (
                f"the import package {package!r} belongs to {_owners(package)}; install "
                f"{_DISTRIBUTION} in an environment of its own, for example with python -m venv"
            )
    return None


def _owners(package: str) -> str:
    """Return who ships `package`."""
    # Slow to import and to ask, so only when something is wrong.
    import importlib.metadata

    owners = set(importlib.metadata.packages_distributions().get(package, ()))
    return " and ".join(sorted(owners - {_DISTRIBUTION})) or "nobody known"
