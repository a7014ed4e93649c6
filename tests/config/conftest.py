from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_robustbench.config.loader import load_config
from pytest_robustbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_robustbench.config.declarations import RobustnessConfig


class Load(Protocol):
    def __call__(
        self, text: str, profile: str | None = None, environ: Mapping[str, str] = ...
    ) -> RobustnessConfig: ...


class Complaints(Protocol):
    def __call__(self, text: str | bytes, environ: Mapping[str, str] = ...) -> list[str]: ...


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load a text as ./robustness.yaml."""
    monkeypatch.chdir(tmp_path)

    def load_text(
        text: str, profile: str | None = None, environ: Mapping[str, str] | None = None
    ) -> RobustnessConfig:
        file = tmp_path / "robustness.yaml"
        file.write_text(dedent(text), encoding="utf-8")
        return load_config(file, profile=profile, environ=environ or {})

    return load_text


@pytest.fixture
def complaints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Complaints:
    """Return the lines of the error that a text ends in."""
    monkeypatch.chdir(tmp_path)

    def lines(text: str | bytes, environ: Mapping[str, str] | None = None) -> list[str]:
        file = tmp_path / "robustness.yaml"
        file.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        with pytest.raises(ConfigError) as caught:
            load_config(file, environ=environ or {})
        return str(caught.value).splitlines()

    return lines
