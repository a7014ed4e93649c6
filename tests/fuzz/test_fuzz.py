"""A few rounds of every kind; ``python -m tests.fuzz.run`` runs all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.run import fuzz
from tests.fuzz.subjects import SUBJECTS
from tests.fuzz.subjects.faults import FAULTS
from tests.fuzz.subjects.yaml_documents import YAML

pytest.importorskip("resource", reason="the bound on memory is one of POSIX")

FEW = 25


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_damaged_file_is_read_or_refused_in_words(name: str, tmp_path: Path) -> None:
    outcome = fuzz(SUBJECTS[name], tmp_path, 1, range(FEW))
    assert outcome.findings == {}
    assert sum(outcome.endings.values()) == FEW


def test_whatever_must_not_happen_is_found_and_the_rest_goes_on(tmp_path: Path) -> None:
    outcome = fuzz(FAULTS, tmp_path, 11, range(FAULTS.rounds))
    found = {ending.partition(" ")[0] for ending in outcome.findings.values()}
    assert found == {"KeyError", "exit", "MemoryError", "FoundError"}
    assert set(outcome.endings) == {"accepted", "refused"}
    assert sum(outcome.endings.values()) + len(outcome.findings) == FAULTS.rounds


def test_damage_is_the_same_for_every_seed(tmp_path: Path) -> None:
    YAML.write_valid(tmp_path)
    valid = YAML.valid(tmp_path)
    first, again = ([YAML.content(3, n, valid) for n in range(50)] for _ in range(2))
    assert first == again
    assert len(set(first)) > 45
