"""Shared fixtures: real data where it is given, and visible skips where it is not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_robustbench.metrics.catalogue import REGISTERED
from pytest_robustbench.metrics.metric import Metric

pytest_plugins = ["pytester"]

OF_THE_EXTRAS = (
    *(
        "albumentations",
        "anomalib",
        "execnet",
        "hypothesis",
        "jinja2",
        "jsonschema",
        "markupsafe",
        "xdist",
    ),
    *("matplotlib", "onnx", "onnxruntime", "openvino", "pyimgano", "pyod", "selenium", "timm"),
    *("torch", "torchvision", "efficientnet_lite_pytorch", "pytest_rerunfailures"),
)
"""What tests import of the extra `test`; where it is missing they skip, and .ci/run fails then."""


@contextmanager
def _skipping_without_extras() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            root = str(getattr(cause, "name", "")).partition(".")[0]
            if isinstance(cause, ModuleNotFoundError) and root in OF_THE_EXTRAS:
                pytest.skip(f"{root} of the extra test is not installed", allow_module_level=True)
            cause = cause.__cause__ or cause.__context__
        raise


class _Module(pytest.Module):
    def _getobj(self) -> object:
        with _skipping_without_extras():
            return super()._getobj()


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
    return _Module.from_parent(parent, path=module_path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with _skipping_without_extras():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with _skipping_without_extras():
        return (yield)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real inspection images named by ROBUSTBENCH_TEST_DATA."""
    folder = os.environ.get("ROBUSTBENCH_TEST_DATA")
    if not folder:
        pytest.skip("ROBUSTBENCH_TEST_DATA is not set: no real images to test on")
    return Path(folder)


@pytest.fixture(autouse=True)
def _not_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a project under test start afresh, also where this suite itself runs in several workers.

    Peers such as pytest-benchmark take the variable for a run of their own in a worker.
    """
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _no_step_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no run under test write into the summary of the CI that tests this suite."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@contextmanager
def _restored() -> Iterator[dict[str, Metric]]:
    before = dict(REGISTERED)
    yield REGISTERED
    REGISTERED.clear()
    REGISTERED.update(before)


@pytest.fixture(scope="module", autouse=True)
def _registered_by_a_module() -> Iterator[None]:
    """Let what a fixture of a whole module registers be known to that module alone."""
    with _restored():
        yield


@pytest.fixture(autouse=True)
def registered() -> Iterator[dict[str, Metric]]:
    """Metrics of one's own that this process knows; what a test registers goes with it."""
    with _restored() as known:
        yield known
