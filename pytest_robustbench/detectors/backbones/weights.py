"""Weights of a network: from a file, without running anything that lies in it, or random."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pytest_robustbench.detectors.introspection import first_line
from pytest_robustbench.detectors.packages import required, sha256_of_file
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import nn

    from pytest_robustbench.detectors.patches.settings import PatchSettings

NESTED = ("state_dict", "model", "model_state_dict")
"""Keys under which training scripts put the state dictionary."""

WRAPPERS = ("module.", "_orig_mod.")
"""What data-parallel and compiled networks put before every key."""

SHOWN = 3


def random_weights(seed: int) -> str:
    """Return how reports call random weights."""
    return f"random, seed {seed}: not trained on anything"


def file_weights(path: str) -> str:
    """Return how reports call the weights of a file: by its content.

    Raises
    ------
    DetectorError
        If the file cannot be read.
    """
    try:
        return f"file, sha256 {sha256_of_file(Path(path))}"
    except OSError as error:
        raise DetectorError(f"{path}: cannot be read ({error.strerror or error})") from error


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw what is drawn inside from `seed`, and leave the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def chosen_weights(
    network: nn.Module,
    settings: PatchSettings,
    fitting: Callable[[Any, dict[str, Tensor]], dict[str, Tensor]],
    unused: Sequence[str],
) -> str:
    """Load the checkpoint that settings name into an untrained network, and tell its weights.

    Parameters
    ----------
    network : Module
        With random weights of the settings' seed, which stay where no checkpoint is named.
    settings : PatchSettings
        Whose `checkpoint_path` and `seed` count.
    fitting : callable
        Network and state dictionary -> the state dictionary as this network wants it.
    unused : sequence of str
        First parts of keys that do not matter: the classifier's.

    Raises
    ------
    DetectorError
        If the file cannot be read, or holds the weights of another network.
    """
    path = settings.checkpoint_path
    if path is None:
        return random_weights(settings.seed)
    weights = file_weights(path)
    take_weights(network, fitting(network, _read(path)), path, unused)
    return weights


def take_weights(
    network: nn.Module, state: Mapping[str, Tensor], path: str, unused: Sequence[str] = ()
) -> None:
    """Load a state dictionary into a network, key by key.

    Parameters
    ----------
    network : Module
        The network.
    state : mapping of str to Tensor
        Its weights.
    path : str
        Where they come from, for messages.
    unused : sequence of str
        First parts of keys that do not matter: the classifier's.

    Raises
    ------
    DetectorError
        If a key is missing, has another shape, or is not the network's.
    """
    own = network.state_dict()
    wanted = {key for key in own if key.split(".")[0] not in unused}
    given = {key for key in state if key.split(".")[0] not in unused}
    shared = wanted & given
    reshaped = {key for key in shared if state[key].shape != own[key].shape}
    differences = [
        *_named("missing", wanted - given),
        *_named("unknown", given - wanted),
        *_named("of another shape", reshaped),
    ]
    if differences:
        raise DetectorError(
            f"the weights in {path} are not this network's: {'; '.join(differences)}"
        )
    network.load_state_dict({key: state[key] for key in shared}, strict=False)


def download_failed(error: Exception) -> DetectorError:
    """Return the error for weights that a package cannot fetch."""
    return DetectorError(
        f"its trained weights cannot be had ({type(error).__name__}: {first_line(error)}); where "
        "there is no network, fetch their file elsewhere and give it as checkpoint_path, or use "
        "the backbone efficientnet_lite0"
    )


def _read(path: str) -> dict[str, Tensor]:
    """Return the state dictionary in a file of ``torch.save`` or safetensors."""
    if path.endswith(".safetensors"):
        return _read_safetensors(path)
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise DetectorError(
            f"checkpoint_path {path}: cannot be loaded as plain weights "
            f"({type(error).__name__}: {first_line(error)}); save it with "
            "torch.save(network.state_dict(), file)"
        ) from error
    return _state_dict(path, found)


def _read_safetensors(path: str) -> dict[str, Tensor]:
    safetensors = required("safetensors.torch", "safetensors")
    try:
        weights: dict[str, Tensor] = safetensors.load_file(path)
    except Exception as error:
        raise DetectorError(
            f"checkpoint_path {path}: no safetensors file ({first_line(error)})"
        ) from error
    return weights


def _state_dict(path: str, found: Any) -> dict[str, Tensor]:
    for key in NESTED:
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
            break
    tensors = isinstance(found, dict) and all(isinstance(v, Tensor) for v in found.values())
    if not tensors or not found:
        raise DetectorError(
            f"checkpoint_path {path}: holds a {type(found).__name__}, no state dictionary"
        )
    return {_unwrapped(str(key)): value for key, value in found.items()}


def _unwrapped(key: str) -> str:
    for prefix in WRAPPERS:
        key = key.removeprefix(prefix)
    return key


def _named(what: str, keys: set[str]) -> list[str]:
    if not keys:
        return []
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return [f"{what}: {', '.join(sorted(keys)[:SHOWN])}{more}"]
