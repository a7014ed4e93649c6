"""Every detector that can be asked for by name alone, on this machine."""

from __future__ import annotations

from importlib.util import find_spec

from pytest_robustbench.detectors.names import known_names


def model_names() -> list[str]:
    """Return the built-in names, the aliases, and the models of pyimgano where it is installed.

    anomalib's models, model files and factories are named by a prefix or an import path and are not
    listed here.
    """
    return [*known_names(), *_of_pyimgano()]


def _of_pyimgano() -> list[str]:
    if find_spec("pyimgano") is None:
        return []
    from pyimgano.services.discovery_service import list_discovery_model_names

    return [f"pyimgano:{name}" for name in list_discovery_model_names()]
