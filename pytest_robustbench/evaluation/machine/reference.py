"""A fixed piece of work on the detector's own device, to measure the machine by."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCELERATORS = ("cuda", "mps")
"""Kinds of torch's devices that have a clock of their own, and are waited for."""
SIDE, PRODUCTS = 1024, 8
"""Of matrices on an accelerator: work that is long against the time that starting it takes."""


class Reference(Protocol):
    """Fixed work; it returns when its device has done it."""

    device: str

    def __call__(self) -> None:
        """Do the work once."""
        ...


class HostReference:
    """A matrix product and a memory copy on the processor."""

    device = "cpu"

    def __init__(self) -> None:
        self._matrix = np.linspace(0, 1, 128 * 128, dtype=np.float32).reshape(128, 128)
        self._product = np.empty_like(self._matrix)
        self._source = np.zeros(1 << 20, np.float32)
        self._target = np.empty_like(self._source)
        self()  # touch the memory once

    def __call__(self) -> None:
        """Do the work once."""
        # Without BLAS: the spinning threads of a busy machine would swing it eighty-fold.
        np.einsum("ij,jk->ik", self._matrix, self._matrix, out=self._product, optimize=False)
        np.copyto(self._target, self._source)


class TorchReference:
    """Matrix products and a memory copy on a device of torch, which is waited for.

    Parameters
    ----------
    torch : module
        It is loaded already: only a detector that uses it has such a device.
    name : str
        The device as torch calls it, such as ``cuda:1``.
    """

    def __init__(self, torch: Any, name: str) -> None:
        self._torch, self._name = torch, name
        self.device = described(name, torch)
        self._wait = synchronizer_of(name, torch)
        options = {"device": name, "dtype": torch.float32}
        self._matrix = torch.full((SIDE, SIDE), 1 / SIDE, **options)
        self._products = [torch.empty((SIDE, SIDE), **options) for _ in range(2)]
        self._source = torch.zeros(1 << 22, **options)
        self._target = torch.empty(1 << 22, **options)
        self()  # load the kernels once

    def __call__(self) -> None:
        """Do the work once, and wait for it."""
        with self._torch.no_grad():
            left = self._matrix
            for turn in range(PRODUCTS):
                self._torch.mm(left, self._matrix, out=self._products[turn % 2])
                left = self._products[turn % 2]
            self._target.copy_(self._source)
        self._wait()


def computing_device(detector: object) -> str:
    """Return where a detector computes: ``cpu``, ``cuda:1``, or what else it calls it.

    It says so in its description or by an attribute ``device``; else it is where its parameters
    lie, or where torch computes in this process.
    """
    told = _told(detector)
    if told:
        return _usual(told)
    torch = _torch()
    started = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    return "cuda" if started else "cpu"


def _told(detector: Any) -> str:
    describe = getattr(detector, "description", None)
    described = describe() if callable(describe) else None
    if isinstance(described, dict) and isinstance(described.get("device"), str):
        return str(described["device"])
    devices = (_device_of(one) for one in _wrapped(detector))
    return next((str(device) for device in devices if device is not None), "")


def _wrapped(detector: Any) -> Iterator[Any]:
    """Yield a detector, and what it wraps down to the object behind a method."""
    yield detector
    for name in ("detector", "wrapped", "__self__"):
        if hasattr(detector, name):
            detector = getattr(detector, name)
            yield detector


def _device_of(owner: Any) -> Any:
    device = getattr(owner, "device", None)
    if device is None and callable(getattr(owner, "parameters", None)):
        device = getattr(next(iter(owner.parameters()), None), "device", None)
    return device if isinstance(device, str) or hasattr(device, "type") else None


def _usual(told: str) -> str:
    """Return torch's name of a device that onnxruntime or OpenVINO call otherwise."""
    name = told.lower()
    for provider, kind in (("cpu", "cpu"), ("cudaexecutionprovider", "cuda")):
        if name.startswith(provider):
            return kind
    return name


def reference_for(device: str) -> Reference:
    """Return the reference workload for a detector on `device`; on the processor where none is."""
    torch = _torch()
    if torch is None or device.partition(":")[0] not in ACCELERATORS:
        return HostReference()
    return TorchReference(torch, device)


def described(device: str, torch: Any = None) -> str:
    """Return a device as reports name it: its kind, and which one, whatever its number."""
    kind = device.partition(":")[0]
    torch = torch or _torch()
    if kind != "cuda" or torch is None or not torch.cuda.is_available():
        return kind
    return f"{kind} {torch.cuda.get_device_name(device)}"


def synchronizer_of(device: str, torch: Any = None) -> Callable[[], None]:
    """Return what waits for a device of torch; of any other, what does nothing."""
    torch = torch or _torch()
    kind = device.partition(":")[0]
    if torch is None or kind not in ACCELERATORS:
        return _nothing
    if kind == "mps":
        wait: Callable[[], None] = torch.mps.synchronize
        return wait
    return lambda: torch.cuda.synchronize(device)


def _nothing() -> None:
    """Wait for nothing: the processor is done when a call returns."""


def _torch() -> Any:
    # Looked up, not imported: a detector that does not use torch must not pay for it.
    return sys.modules.get("torch")
