"""What a fitted model holds, as one digest."""

from __future__ import annotations

import hashlib
import pickle
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
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
    """Writes arrays and tensors by their content: where they lie differs from run to run."""

    def __init__(self, sink: _Sink) -> None:
        super().__init__(sink, protocol=5)
        # Without a memo: which of two equal texts are one object differs as well.
        self.fast = True

    def reducer_override(self, value: Any) -> Any:
        """Return what stands for a value, where that is not as usual."""
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            device, value = str(value.device), value.detach().cpu().contiguous()
            kind = f"{device} {value.dtype}"
            content = value.reshape(-1).view(torch.uint8).numpy()
            return _stands_for, (kind, tuple(value.shape), _sha256(content))
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            content = np.ascontiguousarray(value)
            return _stands_for, (str(value.dtype), value.shape, _sha256(content))
        return NotImplemented


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


def _stands_for(kind: str, shape: tuple[int, ...], sha256: str) -> None:
    """Name in a pickle what stands for an array; nobody ever loads it."""


def _sha256(content: Any) -> str:
    return hashlib.sha256(memoryview(content).cast("B") if content.size else b"").hexdigest()
