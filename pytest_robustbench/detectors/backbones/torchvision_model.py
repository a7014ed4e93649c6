"""Networks of torchvision as backbones."""

from __future__ import annotations

from collections import OrderedDict
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import torch

from pytest_robustbench.detectors.backbones.loading import Backbone
from pytest_robustbench.detectors.backbones.normalisation import Normalisation
from pytest_robustbench.detectors.backbones.outputs import (
    as_grids,
    default_indices,
    layer_indices,
    trying,
)
from pytest_robustbench.detectors.backbones.weights import (
    chosen_weights,
    download_failed,
    seeded,
    take_weights,
)
from pytest_robustbench.detectors.packages import required
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from pytest_robustbench.detectors.patches.settings import PatchSettings

HEADS = ("fc", "classifier", "head", "heads", "AuxLogits", "aux1", "aux2")
TRANSFORMER = "vit_"
"""First part of the names of networks that are made for one image size."""

POSITIONS = "encoder.pos_embedding"
CHANNELS_LAST = ("SwinTransformer",)
"""Classes whose stages give ``(N, h, w, C)``."""


def load(name: str, settings: PatchSettings, device: torch.device) -> Backbone:
    """Return the classification network called `name`; its layers are its stages.

    Raises
    ------
    DetectorError
        If torchvision is not installed or has no such network, or the weights cannot be loaded.
    """
    models = required("torchvision.models", "torchvision")
    names = models.list_models(module=models)
    if name not in names:
        near = ", ".join(get_close_matches(name, names, n=3, cutoff=0))
        raise DetectorError(f"torchvision has no classification network {name!r}; near: {near}")
    network, weights = _with_weights(models, name, settings)
    network.eval().requires_grad_(False).to(device)
    normalised = Normalisation(settings, device)
    black = normalised(torch.zeros(1, 3, settings.input_size, settings.input_size, device=device))
    features = _features(network, _layers(network, settings, black))
    return Backbone(features, weights, normalised)


def _features(network: nn.Module, layers: list[str]) -> Callable[[Tensor], list[Tensor]]:
    """Return what gives the layers' features: ``(N, C, h, w)`` or tokens ``(N, T, C)`` each."""
    extraction = required("torchvision.models.feature_extraction", "torchvision")
    try:
        extract = extraction.create_feature_extractor(network, layers, suppress_diff_warning=True)
    except Exception as error:
        raise DetectorError(
            f"layers {layers!r} cannot be taken from it ({type(error).__name__}: {error})"
        ) from error
    channels_last = type(network).__name__ in CHANNELS_LAST

    def features(images: Tensor) -> list[Tensor]:
        found = extract(images).values()
        return [f.permute(0, 3, 1, 2) for f in found] if channels_last else list(found)

    return features


def _layers(network: nn.Module, settings: PatchSettings, black: Tensor) -> list[str]:
    """Return the paths of the wanted layers; a layer may also be the path of any module."""
    stages, modules = _stages(network), dict(network.named_modules())
    if not isinstance(settings.layers, str):
        return [
            str(layer) if layer in modules else stages[layer_indices(stages, [layer], ())[0]]
            for layer in settings.layers
        ]
    size = settings.input_size
    with trying(size), torch.inference_mode():
        grids = as_grids(_features(network, stages)(black), size)
    reductions = [size / grid.shape[-1] for grid in grids]
    return [stages[i] for i in default_indices(reductions, settings.layers)]


def _stages(network: nn.Module) -> list[str]:
    """Return the paths of what comes one after the other: stages of a CNN, blocks of a ViT."""
    for path in ("encoder.layers", "features"):
        parent = dict(network.named_modules()).get(path)
        if parent is not None:
            return [f"{path}.{name}" for name, _ in parent.named_children()]
    names = [name for name, _ in network.named_children() if name not in HEADS]
    numbered = [name for name in names if name.startswith("layer")]
    return numbered or [name for name in names if name not in ("avgpool", "dropout")]


def _with_weights(models: Any, name: str, settings: PatchSettings) -> tuple[nn.Module, str]:
    size = {"image_size": settings.input_size} if name.startswith(TRANSFORMER) else {}
    with trying(settings.input_size), seeded(settings.seed):
        network: nn.Module = models.get_model(name, weights=None, **size)
    if settings.checkpoint_path is not None or not settings.pretrained:
        return network, chosen_weights(network, settings, _fitting, HEADS)
    published = models.get_model_weights(name).DEFAULT
    try:
        state = published.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except Exception as error:
        raise download_failed(error) from error
    take_weights(network, _fitting(network, state), published.url, HEADS)
    return network, f"torchvision:{published}"


def _fitting(network: Any, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Interpolate a transformer's position embeddings to the network's image size."""
    if POSITIONS not in state or not hasattr(network, "patch_size"):
        return state
    transformer = required("torchvision.models.vision_transformer", "torchvision")
    fitting: dict[str, Tensor] = transformer.interpolate_embeddings(
        network.image_size, network.patch_size, OrderedDict(state)
    )
    return fitting
