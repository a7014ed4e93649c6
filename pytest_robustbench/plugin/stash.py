"""What the plugin keeps on pytest's objects, typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_robustbench.plugin.measuring.session import Session
    from pytest_robustbench.plugin.results.run_results import Ledger
    from pytest_robustbench.plugin.settings import Settings
    from pytest_robustbench.plugin.workers.run_context import Surroundings

SETTINGS: pytest.StashKey[Settings] = pytest.StashKey()
SESSION: pytest.StashKey[Session] = pytest.StashKey()
SURROUNDINGS: pytest.StashKey[Surroundings] = pytest.StashKey()
LEDGER: pytest.StashKey[Ledger] = pytest.StashKey()
