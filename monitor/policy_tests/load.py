"""From a file of policy tests to tests that can be run, or to every problem of it at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import annotated_types as at

from baselines.schema import Schema
from monitor.config.document import Location, read_document
from monitor.config.forms import Reader
from monitor.config.load import load_configuration
from monitor.config.messages import found, unknown_option
from monitor.config.model import Configuration, DetectorEntry
from monitor.config.problems import ConfigurationError, Place, did_you_mean
from monitor.features.registry import with_features
from monitor.policy_tests.model import Expected, MadeSeries, PolicyTest, PolicyTests
from monitor.policy_tests.notation import NotationError, read_windows
from monitor.policy_tests.outputs import outputs_of
from monitor.policy_tests.shorthand import Outputs
from monitor.windows.slices import ALL
from monitor.windows.spec import TumblingWindows

__all__ = ["load_policy_tests"]

_DAY_SECONDS = 86_400
_TEST_OPTIONS = ("name", "series")


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The options of a file besides its tests."""

    configuration: Annotated[str, at.MinLen(1)]
    slices: Annotated[int, at.Ge(1)] = 1
    window_seconds: Annotated[int, at.Ge(1)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """The options of a series besides what is expected."""

    series: Annotated[str, at.MinLen(1)]
    slice: Annotated[str, at.MinLen(1)] = ALL
    baseline: str | None = None
    windows: str | None = None


def load_policy_tests(
    path: Path | str, *, environment: Mapping[str, str] | None = None
) -> PolicyTests:
    """Return the tests in a file.

    Parameters
    ----------
    path
        A YAML file; the configuration that it names is looked for from its folder.
    environment
        What ``${NAME}`` in the configuration's storage URL stands for; None: the process's.

    Raises
    ------
    ConfigurationError
        With every problem of the file, or of its configuration.
    """
    reader = Reader(read_document(path))
    data = reader.document.data
    if not isinstance(data, dict):
        reader.wrong((), f"must be a mapping with configuration and tests, got {found(data)}")
        raise ConfigurationError(reader.problems)
    options = {name: value for name, value in data.items() if name != "tests"}
    file = reader.read(_File, options, (), besides=("tests",))
    if file is None:
        raise ConfigurationError(reader.problems)
    configuration = load_configuration(
        Path(path).parent / file.configuration, environment=environment
    )
    seconds = _window_seconds(reader, file, configuration)
    tests = _Tests(reader, configuration).read(data.get("tests"))
    if reader.problems:
        raise ConfigurationError(reader.problems)
    return PolicyTests(
        file=str(path),
        configuration=configuration,
        window_seconds=seconds,
        slices=file.slices,
        tests=tests,
    )


def _window_seconds(reader: Reader, file: _File, configuration: Configuration) -> int:
    windows = configuration.windows
    if not isinstance(windows, TumblingWindows):
        return file.window_seconds or _DAY_SECONDS
    if file.window_seconds is not None:
        message = (
            "goes with windows of a number of outputs only; the configuration's have a length"
        )
        reader.wrong(("window_seconds",), message)
    return windows.seconds


class _Tests:
    """Reads the tests of one file."""

    def __init__(self, reader: Reader, configuration: Configuration) -> None:
        self._reader = reader
        self._schema: Schema = with_features(configuration.schema)
        self._entries = {entry.series: entry for entry in configuration.detectors}

    def read(self, section: object) -> tuple[PolicyTest, ...]:
        """Return the tests, after noting what is wrong with any."""
        if not isinstance(section, list) or not section:
            message = f"must be a list of at least one test, got {found(section)}"
            self._reader.wrong(("tests",), message, missing=True)
            return ()
        return tuple(
            test
            for index, values in enumerate(section)
            if (test := self._test(values, ("tests", index))) is not None
        )

    def _test(self, values: object, location: Location) -> PolicyTest | None:
        if not isinstance(values, dict):
            message = f"must be a mapping with name and series, got {found(values)}"
            self._reader.wrong(location, message)
            return None
        for option in values:
            if option not in _TEST_OPTIONS:
                message = unknown_option(option, _TEST_OPTIONS)
                self._reader.wrong((*location, option), message)
        name, listed = values.get("name"), values.get("series")
        if not isinstance(name, str) or not name:
            message = f"must be text that tells the test apart, got {found(name)}"
            self._reader.wrong((*location, "name"), message, missing=True)
        if not isinstance(listed, list) or not listed:
            message = f"must be a list of at least one series, got {found(listed)}"
            self._reader.wrong((*location, "series"), message, missing=True)
            return None
        series = [
            self._series(each, (*location, "series", index)) for index, each in enumerate(listed)
        ]
        made = tuple(each for each in series if each is not None)
        return PolicyTest(name=str(name), series=made, place=self._reader.document.place(location))

    def _series(self, values: object, location: Location) -> MadeSeries | None:
        listed = values.get("expect", []) if isinstance(values, dict) else []
        options = (
            {name: value for name, value in values.items() if name != "expect"}
            if isinstance(values, dict)
            else values
        )
        form = self._reader.read(_Series, options, location, besides=("expect",))
        if form is None:
            return None
        entry = self._entry(form.series, location)
        if (form.baseline is None) != (form.windows is None):
            message = "baseline and windows go together, got one"
            self._reader.wrong(location, message)
        if entry is None:
            return None
        windows = self._windows(entry, form.windows, (*location, "windows"))
        n_windows = len(windows) if windows is not None else None
        return MadeSeries(
            entry=entry,
            slice=form.slice,
            baseline=self._windows(entry, form.baseline, (*location, "baseline")),
            windows=windows,
            expected=self._expected(listed, n_windows, (*location, "expect")),
            place=self._reader.document.place((*location, "series")),
        )

    def _entry(self, series: str, location: Location) -> DetectorEntry | None:
        entry = self._entries.get(series)
        if entry is None:
            known = list(self._entries)
            advice = did_you_mean(series, known) or f"; there are {', '.join(known)}"
            message = f"must be a series of the configuration, got {series!r}{advice}"
            self._reader.wrong((*location, "series"), message)
        return entry

    def _windows(
        self, entry: DetectorEntry, text: str | None, location: Location
    ) -> tuple[tuple[Outputs, ...], ...] | None:
        if text is None:
            return None
        try:
            return tuple(
                outputs_of(entry.detector, self._schema, window) for window in read_windows(text)
            )
        except NotationError as error:
            self._reader.wrong(location, str(error))
            return None

    def _expected(
        self, listed: object, n_windows: int | None, location: Location
    ) -> tuple[tuple[Expected, Place], ...]:
        if not isinstance(listed, list):
            self._reader.wrong(location, f"must be a list, got {found(listed)}")
            return ()
        expected = []
        for index, values in enumerate(listed):
            here = (*location, index)
            one = self._reader.read(Expected, values, here)
            if one is None:
                continue
            if n_windows is not None and one.window > n_windows:
                message = f"must be at most {n_windows}, the windows fed, got {one.window}"
                self._reader.wrong((*here, "window"), message)
            expected.append((one, self._reader.document.place(here)))
        return tuple(expected)
