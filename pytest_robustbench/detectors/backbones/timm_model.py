"""Networks of the package timm as backbones."""

from __future__ import annotations

import sys
from contextlib import suppress
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_robustbench.detectors.backbones.loading import Backbone
from pytest_robustbench.detectors.backbones.normalisation import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Normalisation,
)
from pytest_robustbench.detectors.backbones.outputs import default_indices, layer_indices
from pytest_robustbench.detectors.backbones.weights import (
    chosen_weights,
    download_failed,
    seeded,
)
from pytest_robustbench.detectors.packages import required
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import Tensor

    from pytest_robustbench.detectors.patches.settings import PatchSettings

HEADS = ("fc", "head", "head_dist", "classifier", "classifier_dist")


def load(name: str, settings: PatchSettings, device: torch.device) -> Backbone:
    """Return the network called `name`; its layers are those of its ``feature_info``.

    Raises
    ------
    DetectorError
        If timm is not installed or has no such network, or the weights cannot be loaded.
    """
    timm = required("timm", "timm")
    if not timm.is_model(name):
        near = ", ".join(get_close_matches(name, timm.list_models(), n=3, cutoff=0))
        raise DetectorError(f"timm {timm.__version__} has no network {name!r}; near: {near}")
    network, weights = _with_weights(timm, name, settings)
    network.eval().requires_grad_(False).to(device)
    config = network.pretrained_cfg
    mean, std = config.get("mean") or IMAGENET_MEAN, config.get("std") or IMAGENET_STD
    return Backbone(
        _features(network, settings), weights, Normalisation(settings, device, mean, std)
    )


def _features(network: Any, settings: PatchSettings) -> Callable[[Tensor], list[Tensor]]:
    """Return what gives the layers' features ``(N, C, h, w)``, without class tokens."""
    if not (hasattr(network, "forward_intermediates") and hasattr(network, "feature_info")):
        raise DetectorError(f"a {type(network).__name__} of timm gives no intermediate features")
    information = list(network.feature_info)
    reductions = [layer["reduction"] for layer in information]
    indices = layer_indices(
        [layer["module"] for layer in information],
        settings.layers,
        default_indices(reductions, str(settings.layers)),
    )
    return partial(
        network.forward_intermediates,
        indices=indices,
        # A transformer's blocks add to one stream, whose scale only the final norm removes.
        norm=len(set(reductions)) == 1,
        stop_early=True,
        output_fmt="NCHW",
        intermediates_only=True,
    )


def _with_weights(timm: Any, name: str, settings: PatchSettings) -> tuple[Any, str]:
    if settings.checkpoint_path is not None or not settings.pretrained:
        network = _made(timm, name, settings, pretrained=False)
        return network, chosen_weights(network, settings, _converted, HEADS)
    try:
        network = _made(timm, name, settings, pretrained=True)
    except Exception as error:
        raise download_failed(error) from error
    return network, f"timm:{name}.{network.pretrained_cfg.get('tag') or 'default'}"


def _made(timm: Any, name: str, settings: PatchSettings, *, pretrained: bool) -> Any:
    """Return the network without classifier, for the wanted image size if it has to be told.

    The argument differs from one family to the next, and only trying tells which.
    """
    size = settings.input_size
    config = timm.get_pretrained_cfg(name)
    if config is not None and config.fixed_input_size and config.input_size[-1] != size:
        for argument in ({"dynamic_img_size": True}, {"img_size": size}):
            with suppress(TypeError):
                return _created(timm, name, settings.seed, pretrained, argument)
    return _created(timm, name, settings.seed, pretrained, {})


def _created(timm: Any, name: str, seed: int, pretrained: bool, argument: dict[str, Any]) -> Any:
    with seeded(seed):
        return timm.create_model(name, pretrained=pretrained, num_classes=0, **argument)


def _converted(network: Any, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the keys of the network's original publication, where timm's module knows them."""
    convert = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
    return dict(convert(state, network)) if convert else state
