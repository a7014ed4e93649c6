"""What a fitted model holds, as one digest."""

from __future__ import annotations

import hashlib
import pickle
import sys
from pathlib import Path
from types import (
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    ModuleType,
)
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_robustbench.folder_imports import INSTALLED_IN, OWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.detectors.protocol import Detector


class _Sink:
    """Takes a pickle piece by piece, and keeps nothing of it."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, piece: Any) -> int:
        """Add what a file would."""
        self.digest.update(piece)
        return memoryview(piece).nbytes


class _ContentPickler(pickle.Pickler):
    """Writes arrays, tensors and code by their content: where they lie differs from run to run."""

    def __init__(self, sink: _Sink) -> None:
        super().__init__(sink, protocol=5)
        # Without a memo: which of two equal texts are one object differs as well.
        self.fast = True
        self._seen: set[object] = set()

    def reducer_override(self, value: Any) -> Any:
        """Return what stands for a value, where that is not as usual."""
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            device, value = str(value.device), value.detach().cpu().contiguous()
            content = value.reshape(-1).view(torch.uint8).numpy()
            return _stands_for, (f"{device} {value.dtype}", tuple(value.shape), _sha256(content))
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            content = np.ascontiguousarray(value)
            return _stands_for, (str(value.dtype), value.shape, _sha256(content))
        if isinstance(value, (FunctionType, type)) and _is_of_the_user(value):
            return _stands_for, (value.__qualname__, *self._held_by(value))
        return NotImplemented

    def _held_by(self, code: Any) -> Iterator[object]:
        """Yield what code works with besides its arguments, once: a model may be a global."""
        if code in self._seen:
            return
        self._seen.add(code)
        if isinstance(code, type):
            held = {name: vars(code)[name] for name in sorted(vars(code)) if _is_used(name)}
            yield {name: value for name, value in held.items() if _is_data(value)}
            yield from (base for base in code.__bases__ if base is not object)
            return
        known = code.__globals__
        yield {n: known[n] for n in sorted(_names(code.__code__)) if _is_data(known.get(n))}
        yield code.__defaults__, code.__kwdefaults__
        yield [cell.cell_contents for cell in code.__closure__ or ()]


def _is_of_the_user(value: Any) -> bool:
    """Return whether neither Python nor a package brings it, whose versions are known."""
    file = getattr(sys.modules.get(value.__module__), "__file__", None)
    top = value.__module__.partition(".")[0]
    if top in sys.stdlib_module_names or top == OWN or file is None:
        return False
    return not {*INSTALLED_IN} & {*Path(file).parts}


def _is_used(name: str) -> bool:
    """Return whether a name in a class is no bookkeeping of Python or of a decorator."""
    return not name.startswith("__") or name in ("__init__", "__call__")


def _is_data(value: object) -> bool:
    described = (
        ModuleType,
        MemberDescriptorType,
        GetSetDescriptorType,
        property,
        staticmethod,
        classmethod,
    )
    return not (value is None or isinstance(value, described))


def _names(code: CodeType) -> set[str]:
    """Return the names that code asks for, and the code within it."""
    within = (each for each in code.co_consts if isinstance(each, CodeType))
    return {*code.co_names}.union(*map(_names, within))


def fingerprint(detector: Detector) -> str | None:
    """Return a digest of all that a detector holds in memory, which another run gives as well.

    ``None`` where it cannot be told: it holds what cannot be pickled, such as the session of a
    runtime, or refers to itself.
    """
    sink = _Sink()
    try:
        _ContentPickler(sink).dump(detector)
    except Exception:  # a detector of others may raise whatever it likes
        return None
    return sink.digest.hexdigest()


def _stands_for(*content: object) -> None:
    """Name in a pickle what stands for something else; nobody ever loads it."""


def _sha256(content: Any) -> str:
    return hashlib.sha256(memoryview(content).cast("B") if content.size else b"").hexdigest()
