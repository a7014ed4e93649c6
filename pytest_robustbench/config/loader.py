"""robustness.yaml to declarations; every mistake in it is told at once, with its place."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from pytest_robustbench.config.checks.assembly import assembled, check_names
from pytest_robustbench.config.checks.complaints import problems_of
from pytest_robustbench.config.checks.inputs import shared_detectors
from pytest_robustbench.config.checks.metrics import own_metrics
from pytest_robustbench.config.checks.regression import check_stored_reports
from pytest_robustbench.config.checks.scope import Scope
from pytest_robustbench.config.checks.severities import named_severities
from pytest_robustbench.config.declarations import RobustnessConfig
from pytest_robustbench.config.models.file import Benchmark, RobustnessFile, file_type
from pytest_robustbench.config.models.inputs import DetectorEntry
from pytest_robustbench.config.yaml.environment import expand, malformed_reference
from pytest_robustbench.config.yaml.nodes import Entry, Leaf, Mark, Table, map_leaves, merged, plain
from pytest_robustbench.config.yaml.problems import Problem, config_error, shown_path
from pytest_robustbench.config.yaml.reading import read_text, tree_of
from pytest_robustbench.errors import UnfitOptionError
from pytest_robustbench.naming import ALLOWED, name_problem, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_robustbench.config.declarations import BenchmarkDeclaration, DetectorDeclaration
    from pytest_robustbench.config.yaml.nodes import Node

_FILE_KEYS = tuple(set(RobustnessFile.model_fields) - set(Benchmark.model_fields))
_WRAPPERS = ("benchmarks", "profiles")


def load_config(
    path: Path, *, profile: str | None = None, environ: Mapping[str, str] = os.environ
) -> RobustnessConfig:
    """Read and validate `path`; nothing it names is opened, and metrics alone are imported.

    Parameters and errors are those of `parse_config`; that it cannot be read is another error.
    """
    return parse_config(read_text(path), path, profile=profile, environ=environ)


def parse_config(
    text: str,
    path: Path,
    *,
    profile: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> RobustnessConfig:
    """Validate a YAML text; nothing it names is opened.

    Of what it names, metrics of one's own alone are imported: which limits are floors, and which
    ceilings, is not known before.

    Parameters
    ----------
    text : str
        The YAML.
    path : Path
        The file it stands in, for messages; relative paths start at its folder.
    profile : str, optional
        Name under `profiles` of what to change. All profiles are validated in any case.
    environ : mapping of str to str
        Environment variables.

    Raises
    ------
    ConfigError
        Listing every problem, one a line, as ``file:line:column: message``.
    """
    problems: list[Problem] = []
    tree = _normal(_expanded(tree_of(text, path), environ, shown_path(path), problems))
    _check_version(tree, path)
    own = own_metrics(tree, path.absolute().parent, problems)
    if problems:  # which limits there can be is not known
        raise config_error(path, problems)
    severities = named_severities(tree)
    problems += _shape_problems(tree, tuple(own.values()), severities)
    declared = _declared(tree, path, problems, own, severities)
    problems += _profile_names(tree)
    if problems:
        raise config_error(path, problems)
    _check_profile(profile, tree, path)
    folder = path.absolute().parent
    return RobustnessConfig(path.absolute(), folder, profile, tuple(declared[profile]))


def _expanded(tree: Table, environ: Mapping[str, str], file: str, problems: list[Problem]) -> Table:
    """Fill in environment variables."""

    def fill(leaf: Leaf) -> Leaf:
        if not isinstance(leaf.value, str):
            return leaf
        malformed = malformed_reference(leaf.value)
        if malformed:
            message = (
                f"{malformed!r} is neither ${{VAR}} nor ${{VAR:-default}}; "
                "write $$ for a dollar sign"
            )
            problems.append(Problem(leaf.mark, message))
        return Leaf(leaf.mark, expand(leaf.value, environ, f"{file}:{leaf.mark.line}"))

    filled = map_leaves(tree, fill)
    return filled if isinstance(filled, Table) else tree


def _normal(tree: Table) -> Table:
    """Read ``hazelnut:`` and ``nightly:`` without a value as empty mappings."""
    empty = [k for k in ("defaults", "detectors", "profiles") if _is_null(tree.get(k))]
    tree = tree.without(empty)
    entries = dict(tree.entries)
    for key in _WRAPPERS:
        inner = tree.get(key)
        if isinstance(inner, Table):
            entries[key] = Entry(entries[key].mark, _with_empty_tables(inner))
    return Table(tree.mark, entries)


def _with_empty_tables(table: Table) -> Table:
    return Table(
        table.mark,
        {
            k: Entry(e.mark, Table(e.mark, {}) if _is_null(e.node) else e.node)
            for k, e in table.entries.items()
        },
    )


def _is_null(node: Node | None) -> bool:
    return isinstance(node, Leaf) and node.value is None


def _check_version(tree: Table, path: Path) -> None:
    """Refuse a file of another version before judging it by the rules of this one."""
    version = tree.get("schema_version")
    if isinstance(version, Leaf) and isinstance(version.value, int) and version.value != 1:
        message = f"schema_version {version.value} is not known to this release; it reads 1"
        raise config_error(path, [Problem(version.mark, message)])


def _shape_problems(
    tree: Table, own: tuple[str, ...], severities: tuple[float, ...]
) -> list[Problem]:
    try:
        file_type(own, severities).model_validate(plain(tree))
    except ValidationError as error:
        return list(problems_of(error, tree))
    return []


def _check_profile(profile: str | None, tree: Table, path: Path) -> None:
    names = tree.table("profiles").entries
    if profile is not None and profile not in names:
        known = suggestion(profile, names) if names else "the file declares no profiles"
        raise UnfitOptionError(f"{shown_path(path)}: unknown profile {profile!r}; {known}")


def _profile_names(tree: Table) -> Iterator[Problem]:
    """Say which profiles have names that no file can have: ``{profile}`` stands in paths."""
    seen: dict[str, str] = {}
    for name, entry in tree.table("profiles").entries.items():
        problem = name_problem(name)
        if problem:
            text = f"profile name {name!r} becomes part of file names, and {problem}; {ALLOWED}"
            yield Problem(entry.mark, text)
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            text = f"profiles {other!r} and {name!r} would share their baselines on some systems"
            yield Problem(entry.mark, text)


def _declared(
    tree: Table,
    path: Path,
    problems: list[Problem],
    own: Mapping[str, str],
    severities: tuple[float, ...],
) -> dict[str | None, list[BenchmarkDeclaration]]:
    """Return the benchmarks of the file under no profile, and under each of them."""
    of_shared = Scope(
        shown_path(path), None, tree.mark, tree.table("detectors"), tree, problems=problems
    )
    shared = _shared(of_shared)
    scopes = [
        replace(here, own_metrics=own, severities=severities)
        for here in _scopes(tree, path, problems)
    ]
    declared: dict[str | None, list[BenchmarkDeclaration]] = {}
    if shared is None:
        return declared
    declared[None], sound = _assembled_all(scopes, shared, path)
    for name in tree.table("profiles").entries:
        views = [_scope_in_profile(here, name, tree) for here in sound]
        declared[name], _ = _assembled_all(views, shared, path)
    return declared


def _assembled_all(
    scopes: list[Scope], shared: Mapping[str, DetectorDeclaration], path: Path
) -> tuple[list[BenchmarkDeclaration], list[Scope]]:
    """Return the benchmarks of all scopes, and the scopes nothing is wrong with."""
    found: list[tuple[BenchmarkDeclaration, Scope]] = []
    sound: list[Scope] = []
    for here in scopes:
        before = len(here.problems)
        found += [(benchmark, here) for benchmark in assembled(here, shared)]
        sound += [here] if len(here.problems) == before else []
    check_names(found)
    check_stored_reports(found, path.absolute().parent)
    return [benchmark for benchmark, _ in found], sound


def _shared(here: Scope) -> dict[str, DetectorDeclaration] | None:
    try:
        models = TypeAdapter(dict[str, DetectorEntry]).validate_python(plain(here.table))
    except ValidationError:
        return None
    return shared_detectors(models, here)


def _scopes(tree: Table, path: Path, problems: list[Problem]) -> list[Scope]:
    defaults, own = tree.table("defaults"), tree.without(_FILE_KEYS)
    blank = Scope(shown_path(path), None, Mark(1, 1), own, own, problems=problems)
    if tree.get("benchmarks") is None:
        name = tree.get("name")
        named = replace(blank, title=_text(name), mark=name.mark if name else blank.mark)
        return [replace(named, table=merged(defaults, own))]
    misplaced = _misplaced(tree)
    problems += misplaced
    return [] if misplaced else _several_scopes(tree, blank)


def _misplaced(tree: Table) -> list[Problem]:
    """Return a problem for every key of a single benchmark that stands beside `benchmarks`."""
    text = "{!r} stands beside benchmarks; move it into one of them, or to defaults"
    keys = [key for key in ("name", *Benchmark.model_fields) if key in tree.entries]
    return [Problem(tree.entries[key].mark, text.format(key)) for key in keys]


def _several_scopes(tree: Table, blank: Scope) -> list[Scope]:
    defaults = tree.table("defaults")
    return [
        replace(
            blank,
            key=key,
            title=key,
            mark=entry.mark,
            table=merged(defaults, entry.node),
            own=entry.node,
        )
        for key, entry in tree.table("benchmarks").entries.items()
        if isinstance(entry.node, Table)
    ]


def _text(node: Node | None) -> str | None:
    return node.value if isinstance(node, Leaf) and isinstance(node.value, str) else None


def _scope_in_profile(here: Scope, name: str, tree: Table) -> Scope:
    profiles = tree.table("profiles")
    own = profiles.table(name)
    table = merged(here.table, own)
    mark = profiles.entries[name].mark
    return replace(here, table=table, own=own, profile=name, profile_mark=mark)
