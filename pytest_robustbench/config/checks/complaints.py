"""Validation errors in the words of the file: where, what was found, what would be right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pytest_robustbench.conditions import SEVERITY_WANTED
from pytest_robustbench.config.models.file import Benchmark, RobustnessFile
from pytest_robustbench.config.models.limits import (
    SCOPES,
    Regression,
    ToleranceLimit,
    limit_type,
)
from pytest_robustbench.config.models.values import Section
from pytest_robustbench.config.yaml.environment import Expanded, Unresolved, not_set
from pytest_robustbench.config.yaml.nodes import key_mark, value_mark
from pytest_robustbench.config.yaml.problems import Problem
from pytest_robustbench.config.yaml.reading import LONGEST
from pytest_robustbench.gates.regression.changes import worse
from pytest_robustbench.metrics.catalogue import (
    BUILT_IN,
    TOLERANCE,
    known_metrics,
    limit_names,
    summaries_of,
    summarized,
)
from pytest_robustbench.naming import shortened, suggestion
from pytest_robustbench.unions import written_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from pytest_robustbench.config.yaml.nodes import Table

    Path = tuple[str | int, ...]

_COUNTED = [metric.name for metric in BUILT_IN if metric.counts_pixels]
PIXEL_ALTERNATIVES = f"{', '.join(_COUNTED[:-1])} or {_COUNTED[-1]}"
"""Metrics on pixels that can be redone from counts per image."""
_WRAPPERS = {"defaults": 1, "benchmarks": 2, "profiles": 2}
_BOUNDS = ("min", "max", "max_drop", "max_rise")
_ALTERNATIVES = {
    "dataset": "a mapping, or fixture",
    "detector": "a name, a mapping, or a list of them",
    "detectors": "a name or a mapping",
    "operating_point": "the name of a file, or a mapping",
    "corruptions": "a list of names or mappings, or none",
}
_NO_SCALING = (
    ". Maps are never scaled by their own minimum and maximum: one threshold for all images would "
    "mean nothing"
)
_COMPARISONS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
}


def problems_of(error: ValidationError, tree: Table) -> Iterator[Problem]:
    """Translate every error of a validated `tree`."""
    details = error.errors(include_url=False)
    unknown = {_path(detail)[:-1] for detail in details if detail["type"] == "extra_forbidden"}
    for detail in details:
        path = _path(detail)
        # A bound of the wrong direction is also a missing one of the right direction: say it once.
        if detail["type"] == "missing" and path[:-1] in unknown:
            continue
        # A list whose items are wrong counts as empty for pydantic: the items have been told of.
        if detail["type"] == "too_short" and detail["input"]:
            continue
        yield _problem(detail, path, tree)


def section_of(path: Path) -> Path:
    """Return `path` below the benchmark, profile or defaults it lies in."""
    return path[_WRAPPERS.get(str(path[0]), 0) :] or path


def dotted(path: Path) -> str:
    """Return ``accept.clean`` for its path; items of a list are not told apart."""
    return ".".join(step for step in path if isinstance(step, str))


def shown(value: object) -> str:
    """Return `value` as it may be written in YAML."""
    if isinstance(value, (bool, type(None))):
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, tuple) else shortened(repr(value), LONGEST)


def _path(detail: ErrorDetails) -> Path:
    return written_steps(detail["loc"])


def _problem(detail: ErrorDetails, path: Path, tree: Table) -> Problem:
    kind, section = detail["type"], section_of(path)
    misplaced = _metric_without_scope(section)
    if misplaced:
        scope = path[: len(path) - len(section) + 2]
        return Problem(key_mark(tree, scope), misplaced)
    if kind == "extra_forbidden":
        return Problem(key_mark(tree, path), _unknown_key(path, section))
    if kind == "repeated":
        place = (*path, detail["ctx"]["index"])
        message = f"{dotted(section)} lists {shown(detail['ctx']['value'])} twice"
        return Problem(value_mark(tree, place), message)
    if kind == "missing":
        return Problem(value_mark(tree, path), _missing(section))
    return Problem(value_mark(tree, path), _wrong_value(detail, section))


def _metric_without_scope(section: Path) -> str:
    """Return what to do about a limit that stands directly under `accept`; mostly nothing."""
    if len(section) < 2 or section[0] != "accept" or section[1] in SCOPES:
        return ""
    return misplaced_scope(str(section[1]))


def misplaced_scope(scope: str) -> str:
    """Return why `scope` can never stand directly under `accept`; empty if it might."""
    if scope in summaries_of(known_metrics()):
        return f"metric {scope!r} stands directly under accept; it belongs under accept.summary"
    if scope in known_metrics():
        return (
            f"metric {scope!r} stands directly under accept; put it under a scope: "
            "accept.all, accept.clean or a corruption"
        )
    if scope == "one_sided":
        return "one_sided stands directly under accept; put it beside the limits that it is about"
    if scope.startswith("severity_"):
        return f"{scope!r} stands directly under accept; put it under a corruption"
    return ""


def _unknown_key(path: Path, section: Path) -> str:
    key, parent = str(section[-1]), section[:-1]
    if parent and parent[-1] in limit_names():
        return _wrong_bound(key, parent)
    if parent[:2] == ("accept", TOLERANCE.name):
        valid = list(ToleranceLimit.model_fields)
        return f"unknown key {key!r} under {dotted(parent)}; {suggestion(key, valid)}"
    if parent and parent[0] == "accept":
        return _unknown_metric(key, parent)
    if parent == ("regression",):
        return _not_comparable(key)
    where = f" under {dotted(parent)}" if parent else ""
    advice = _NO_SCALING if parent == ("postprocess",) else ""
    return f"unknown key {key!r}{where}; {suggestion(key, _known_keys(path, section))}{advice}"


def _not_comparable(key: str) -> str:
    if key == "average_precision":
        return f"{key!r} under regression is not supported; take auroc, which ranks the same scores"
    if key in known_metrics():
        return (
            f"{key!r} under regression needs every pixel's score, which no report holds; compare "
            f"{PIXEL_ALTERNATIVES}"
        )
    valid = list(Regression.model_fields)
    return f"unknown metric or setting {key!r} under regression; {suggestion(key, valid)}"


def _known_keys(path: Path, section: Path) -> list[str]:
    if len(section) == 1:
        return list((RobustnessFile if len(path) == 1 else Benchmark).model_fields)
    inner = _section_in(RobustnessFile.model_fields[str(section[0])].annotation)
    return list(inner.model_fields) if inner else []


def _section_in(annotation: Any) -> type[Section] | None:
    """Return the section that an annotation holds, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    inner = (_section_in(part) for part in get_args(annotation))
    return next((section for section in inner if section is not None), None)


def _wrong_bound(key: str, parent: Path) -> str:
    metric, where = str(parent[-1]), dotted(parent[:-1])
    (bound,) = _bounds_of(metric, parent)
    if key not in _BOUNDS:
        return f"unknown key {key!r} for {metric} under {where}; {suggestion(key, [bound])}"
    better = "more" if bound in ("min", "max_drop") else "less"
    return f"{key!r} on {metric} under {where}: {better} of it is better, so it takes {bound!r}"


def _bounds_of(metric: str, parent: Path) -> tuple[str]:
    if parent[0] == "regression":
        return (worse(metric),)
    return (str(limit_type(metric).bound),)


def _unknown_metric(key: str, parent: Path) -> str:
    where, scope = dotted(parent), parent[1]
    if key.startswith("severity_"):
        if scope in SCOPES or len(parent) > 2:
            return f"{key!r} under {where}: severities stand under a corruption"
        return (
            f"unknown severity {key!r} under {where}; valid: severity_1 to severity_5, and what "
            "severities lists"
        )
    metrics = known_metrics()
    summaries = summaries_of(metrics)
    if scope != "summary" and key in summaries:
        return f"metric {key!r} under {where} is a summary; it belongs under accept.summary"
    valid = summaries if scope == "summary" else tuple(metrics)
    if scope == "summary" and key in metrics:
        forms = ", ".join(m for m in valid if summarized(m) == key)
        return f"metric {key!r} under {where} says nothing of a whole run; take one of: {forms}"
    return f"unknown metric {key!r} under {where}; {suggestion(key, valid)}"


def _missing(section: Path) -> str:
    key, parent = section[-1], dotted(section[:-1])
    if isinstance(key, int):
        return f"{parent} is too short: item {key + 1} is missing"
    return f"{key!r} is missing" + (f" under {parent}" if parent else "")


def _wrong_value(detail: ErrorDetails, section: Path) -> str:
    value: Any = detail["input"]
    if isinstance(value, Unresolved):
        return f"{dotted(section)} is needed to collect the tests: {not_set(value)}"
    if detail["type"] in ("too_short", "too_long"):
        return _wrong_length(detail, section)
    if detail["type"] in _COMPARISONS and section[0] == "severities":
        return f"unknown severity {shown(value)}; it is {SEVERITY_WANTED}"
    if detail["type"] == "not_finite":
        return f"{dotted(section)} holds NaN or infinity, which no report can carry"
    message = f"{dotted(section)} must be {_expected(detail, section)}, found {shown(value)}"
    return message + _advice(detail, section)


def _wrong_length(detail: ErrorDetails, section: Path) -> str:
    name = dotted(section)
    if detail["type"] == "too_long":
        return f"{name} has {detail['ctx']['actual_length']} items, more than it takes"
    advice = {
        "corruptions": "leave it out to run all five, or write 'none' to run clean alone",
        "severities": "leave it out to run 1 to 5",
    }
    return f"{name} is empty; {advice.get(name, 'name at least one')}"


def _expected(detail: ErrorDetails, section: Path) -> str:
    kind, last = detail["type"], section[-1]
    if kind in _COMPARISONS:
        return _range(detail, str(last))
    if kind in ("literal_error", "union_tag_not_found"):
        return _alternatives(detail, section)
    if kind == "model_type" and last in limit_names():
        (bound,) = _bounds_of(str(last), section)
        return f"{{{bound}: number}}"
    return _KINDS.get(kind, detail["msg"])


def _range(detail: ErrorDetails, name: str) -> str:
    if name.endswith(("quantile", "fraction")):
        return "strictly between 0 and 1"
    key, words = _COMPARISONS[detail["type"]]
    return f"{words} {detail['ctx'][key]:g}"


def _alternatives(detail: ErrorDetails, section: Path) -> str:
    # A key below one of these that takes certain values alone says so itself.
    steps = section[-1:] if detail["type"] == "literal_error" else section
    named = [_ALTERNATIVES[str(step)] for step in steps if step in _ALTERNATIVES]
    return named[0] if named else str(detail["ctx"]["expected"]).replace("'", "")


def _advice(detail: ErrorDetails, section: Path) -> str:
    value, kind = detail["input"], detail["type"]
    if kind in ("string_type", "expected") and isinstance(value, (int, float)):
        return "; write it in quotes" if _expected(detail, section) == "text" else ""
    if kind == "model_type" and value is False and section[0] == "accept":
        return "; null drops an inherited limit"
    if kind == "literal_error" and isinstance(value, str) and not isinstance(value, Expanded):
        found = suggestion(value, str(detail["ctx"]["expected"]).replace("'", "").split(" or "))
        return f"; {found}" if found.startswith("did") else ""
    return ""
