"""Text features by name: a function from the text of one output to a number or a boolean."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from baselines.schema import Column, Dtype, Role, Schema

__all__ = [
    "TextFeature",
    "feature_columns",
    "feature_of",
    "text_feature",
    "text_features",
    "with_features",
]

TextFunction = Callable[[str], float | bool]

_FEATURES: dict[str, "TextFeature"] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFeature:
    """One feature.

    Parameters
    ----------
    name
        What follows the text column's name, as in ``output_text.n_words``.
    function
        From a text to the value; pure, and the same on every machine.
    dtype
        Boolean features are categories, others numeric.
    unit
        The unit of the value.
    """

    name: str
    function: TextFunction
    dtype: Dtype
    unit: str = ""

    def column(self, text: Column) -> Column:
        """Return the column that holds the feature of the text column `text`."""
        role = Role.CATEGORY if self.dtype is Dtype.BOOLEAN else Role.NUMERIC
        return Column(
            name=f"{text.name}.{self.name}",
            role=role,
            path=text.source_path,
            dtype=self.dtype,
            unit=self.unit,
        )


def text_feature(
    name: str, dtype: Dtype, *, unit: str = ""
) -> Callable[[TextFunction], TextFunction]:
    """Register the decorated function as the text feature `name`.

    Raises
    ------
    ValueError
        If another function has that name.
    """

    def register(function: TextFunction) -> TextFunction:
        known = _FEATURES.get(name)
        if known is not None and known.function.__module__ != function.__module__:
            message = f"two text features are called {name!r}; rename one"
            raise ValueError(message)
        _FEATURES[name] = TextFeature(name=name, function=function, dtype=dtype, unit=unit)
        return function

    return register


def text_features() -> Mapping[str, TextFeature]:
    """Return every text feature by name, in order of name."""
    package = importlib.import_module("monitor.features")
    for module in pkgutil.iter_modules(package.__path__, "monitor.features."):
        importlib.import_module(module.name)
    return dict(sorted(_FEATURES.items()))


def feature_columns(schema: Schema) -> tuple[Column, ...]:
    """Return the columns that the text columns of `schema` give rise to."""
    return tuple(
        feature.column(text)
        for text in schema.with_role(Role.TEXT)
        for feature in text_features().values()
    )


def with_features(schema: Schema) -> Schema:
    """Return `schema` with its feature columns; the same schema if it has them already.

    Examples
    --------
    >>> schema = Schema(columns=(Column(name="answer", role=Role.TEXT),))
    >>> "answer.n_words" in with_features(schema)
    True
    """
    new = tuple(column for column in feature_columns(schema) if column.name not in schema)
    return Schema(columns=(*schema.columns, *new), name=schema.name) if new else schema


def feature_of(column: Column, schema: Schema) -> TextFeature | None:
    """Return the text feature that `column` holds, or None if it is an ordinary column."""
    for text in schema.with_role(Role.TEXT):
        prefix = f"{text.name}."
        if column.name.startswith(prefix):
            feature = text_features().get(column.name.removeprefix(prefix))
            if feature is not None and feature.column(text) == column:
                return feature
    return None
