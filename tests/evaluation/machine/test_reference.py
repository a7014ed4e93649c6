"""Where the reference workload runs; without an accelerator torch is stood in for by a recorder."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from pytest_robustbench.evaluation.machine import reference
from pytest_robustbench.evaluation.machine.latency import Stopwatch, device_synchronizer
from pytest_robustbench.evaluation.machine.reference import (
    HostReference,
    TorchReference,
    computing_device,
    described,
    reference_for,
)


class Recorder:
    """As much of torch as the reference asks for: it notes what is queued, and waited for."""

    float32 = np.float32

    def __init__(self, initialized=True):
        self.events = []
        self.cuda = SimpleNamespace(
            is_available=lambda: True,
            is_initialized=lambda: initialized,
            get_device_name=lambda device: {"cuda": "A", "cuda:0": "A", "cuda:1": "B"}[device],
            synchronize=lambda device: self.events.append(f"wait {device}"),
        )

    def full(self, *_, device, **__):
        return self.empty(device=device)

    def empty(self, *_, device, **__):
        self.events.append(f"on {device}")
        return SimpleNamespace(copy_=lambda _source: self.events.append("copy"))

    zeros = empty

    def mm(self, *_, **__):
        self.events.append("product")

    def no_grad(self):
        return nullcontext()


@pytest.fixture
def torch(monkeypatch):
    found = Recorder()
    monkeypatch.setitem(sys.modules, "torch", found)
    return found


def test_the_reference_is_done_on_the_detectors_device_and_waited_for(torch):
    found = reference_for("cuda:1")
    assert isinstance(found, TorchReference)
    assert found.device == "cuda B"
    assert {e for e in torch.events if e.startswith("on ")} == {"on cuda:1"}
    torch.events.clear()

    found()

    assert torch.events == ["product"] * reference.PRODUCTS + ["copy", "wait cuda:1"]


def test_the_detectors_device_is_waited_for_around_the_calls(torch):
    detector = SimpleNamespace(device="cuda:1")
    stopwatch = Stopwatch(
        device_synchronizer(detector, "cuda:1"), reference_for("cuda:1"), "cuda:1"
    )
    torch.events.clear()

    stopwatch.time(lambda: torch.events.append("predict"), 1)

    assert torch.events[0] == "wait cuda:1"
    assert torch.events[-2:] == ["predict", "wait cuda:1"]
    latency = stopwatch.latency(1)
    assert (latency.device, latency.reference_device) == ("cuda B", "cuda B")


def test_a_device_that_torch_does_not_reach_has_no_reference_there(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)

    stopwatch = Stopwatch(lambda: None, reference_for("cuda"), "cuda")
    stopwatch.time(lambda: None, 1)

    latency = stopwatch.latency(1)
    assert (latency.device, latency.reference_device) == ("cuda", "cpu")
    assert latency.relative is None
    assert isinstance(reference_for("gpu.0"), HostReference)
    assert "torch" not in sys.modules


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("cpu", "cpu"),
        ("CPUExecutionProvider", "cpu"),
        ("CPU", "cpu"),
        ("CUDAExecutionProvider", "cuda"),
        ("cuda:1", "cuda:1"),
        ("GPU.0", "gpu.0"),
    ],
)
def test_a_detector_says_where_it_computes(torch, told, expected):
    by_description = SimpleNamespace(description=lambda: {"device": told})
    by_attribute = SimpleNamespace(device=told)
    wrapped = SimpleNamespace(detector=SimpleNamespace(wrapped=by_attribute))

    assert computing_device(by_description) == expected
    assert computing_device(by_attribute) == expected
    assert computing_device(wrapped) == expected


def test_parameters_lie_where_a_module_computes(torch):
    class Device:
        type = "cuda"

        def __str__(self):
            return "cuda:1"

    module = SimpleNamespace(parameters=lambda: iter([SimpleNamespace(device=Device())]))

    assert computing_device(module) == "cuda:1"


@pytest.mark.parametrize(("initialized", "expected"), [(True, "cuda"), (False, "cpu")])
def test_a_detector_that_says_nothing_computes_where_torch_does(monkeypatch, initialized, expected):
    monkeypatch.setitem(sys.modules, "torch", Recorder(initialized))

    assert computing_device(object()) == expected


def test_equal_devices_are_called_alike_whatever_their_number(torch):
    assert described("cuda:0") == described("cuda") == "cuda A"
    assert described("cpu") == "cpu"


def test_the_work_is_done_by_the_real_torch_too():
    torch = pytest.importorskip("torch")

    assert TorchReference(torch, "cpu").device == "cpu"
