"""The severities that a file lists: limits may name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.conditions import is_severity, rounded_severity
from pytest_robustbench.config.checks.metrics import listed

if TYPE_CHECKING:
    from pytest_robustbench.config.yaml.nodes import Table


def named_severities(tree: Table) -> tuple[float, ...]:
    """Return what stands in the lists of all sections; what is no severity is told of elsewhere."""
    found = (leaf.value for leaf in listed(tree, "severities"))
    return tuple(dict.fromkeys(rounded_severity(one) for one in found if is_severity(one)))
