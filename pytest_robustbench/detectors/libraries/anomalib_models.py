"""Models of anomalib, trained through its Engine; their raw scores and maps."""

from __future__ import annotations

import copy
import hashlib
from difflib import get_close_matches
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pytest_robustbench.detectors.adapter import Adapter, unfittable
from pytest_robustbench.detectors.devices import choose_device, synchronize
from pytest_robustbench.detectors.introspection import (
    comes_from,
    import_path,
    is_plain,
    one_line,
)
from pytest_robustbench.detectors.libraries.anomalib_training import (
    TrainingSettings,
    as_tensor,
    quiet_and_seeded,
    train,
)
from pytest_robustbench.detectors.packages import required
from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.errors import DetectorError
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_robustbench.arrays import Floats, Image
    from pytest_robustbench.detectors.families import Request
    from pytest_robustbench.detectors.protocol import Detector

MODEL_BASE = "AnomalibModule"
TRAINING = ("batch_size", "seed", "trainer")
NOT_NEEDED = ("post_processor", "evaluator", "visualizer")
INFERENCERS = "TorchInferencer and OpenVINOInferencer"


class AnomalibDetector:
    """An anomalib model as a detector: pre-processor and network, without its post-processor.

    What the post-processor does, normalising by a validation set, clamping to 0..1 and
    thresholding, would leave no scale on which a frozen threshold means something.

    Parameters
    ----------
    name : str
        How messages call it.
    start : AnomalibModule
        The model that training starts from, or that is fitted already.
    device : torch.device
        Where it predicts.
    training : TrainingSettings, optional
        How it is trained; ``None`` for a model that is fitted by nature.
    given : bool
        The model came with its weights, and may be fitted already.
    """

    def __init__(
        self,
        name: str,
        start: Any,
        device: torch.device,
        training: TrainingSettings | None,
        *,
        given: bool,
    ) -> None:
        _require_plain_steps(start)
        self.name = name
        self.device = device
        self._start = start
        self._training = training
        # Parts of a model may be frozen, and training has to find them so.
        self._modes = [module.training for module in start.modules()]
        self._model = start.to(device).eval() if given else None

    def fit(self, images: Sequence[Image]) -> None:
        """Train a copy of the starting model through anomalib's Engine.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 arrays
            Normal images, RGB.

        Raises
        ------
        DetectorError
            If the model is fitted already, or does not learn from normal images.
        """
        if self._training is None or bool(getattr(self._start, "_is_fitted", False)):
            raise unfittable(self.name)
        model = copy.deepcopy(self._start)
        for module, training in zip(model.modules(), self._modes, strict=True):
            module.training = training
        with quiet_and_seeded(self._training.seed):
            train(model, images, self._training, self.device)
        self._model = model.to(self.device).eval()

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Score and map images; those of one size in one inference.

        Raises
        ------
        DetectorError
            If the model has not been fitted.
        """
        tensors = [as_tensor(image) for image in images]
        same = len({tensor.shape for tensor in tensors}) == 1
        batches = [torch.stack(tensors)] if same else [tensor[None] for tensor in tensors]
        outputs = [self._output(batch) for batch in batches]
        scores = torch.cat([score for score, _ in outputs])
        maps = [each for _, found in outputs if found is not None for each in found]
        return Prediction(scores.numpy(), [each.numpy() for each in maps] or None)

    def synchronize(self) -> None:
        """Wait until the device has finished."""
        synchronize(self.device)

    def description(self) -> dict[str, Any]:
        """Return class, parameters, training or a digest of the weights, for the report."""
        hyperparameters = dict(getattr(self._start, "hparams", {}))
        return {
            "class": import_path(type(self._start)),
            "parameters": {k: v for k, v in hyperparameters.items() if is_plain(v)},
            "weights": _digest(self._start),
            "training": None if self._training is None else vars(self._training),
            "device": str(self.device),
            "outputs": "raw: no normalisation, no threshold of anomalib's",
        }

    def _output(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        model = self._fitted()
        with torch.inference_mode():
            batch = batch.to(self.device)
            prepared = model.pre_processor(batch) if model.pre_processor else batch
            output = model.model(prepared)
        maps: Any = getattr(output, "anomaly_map", None)
        scores: Any = getattr(output, "pred_score", None)
        if scores is None and maps is None:
            raise DetectorError(
                f"detector {self.name!r} returned neither pred_score nor anomaly_map"
            )
        if scores is None:
            scores = maps.flatten(1).amax(1)
        scores = scores.reshape(len(batch)).float().cpu()
        return scores, None if maps is None else maps.float().cpu()

    def _fitted(self) -> Any:
        if self._model is None:
            raise DetectorError(
                f"detector {self.name!r} has not been fitted; give it a checkpoint_path, or leave "
                "fitted: true out"
            )
        return self._model


class OpenVinoInferencerAdapter(Adapter):
    """An ``OpenVINOInferencer``; what it returns is used as it is.

    It has ``predict(image)`` that returns ``pred_score`` and ``anomaly_map``.
    """

    def predict(self, images: Sequence[Image]) -> Prediction:
        """Score and map images, one inference each."""
        # As floats: it takes a dark uint8 image (no pixel above 1) for one that is scaled already.
        outputs = [self.wrapped.predict(np.float32(image) / 255) for image in images]
        scores = np.array([np.max(output.pred_score) for output in outputs], np.float32)
        if any(output.anomaly_map is None for output in outputs):
            return Prediction(scores, None)
        return Prediction(scores, [_plane(output.anomaly_map) for output in outputs])

    def description(self) -> dict[str, Any]:
        """Return the inferencer's class and device, for the report."""
        return {
            "class": import_path(type(self.wrapped)),
            "device": str(getattr(self.wrapped, "device", "")),
            "outputs": "as exported",
        }


def load(request: Request) -> Detector:
    """Return a model of anomalib: untrained, or from a Lightning checkpoint and then fitted.

    Parameters
    ----------
    request : Request
        Behind the prefix the class, such as ``Patchcore``, or its name in snake case. Settings are
        arguments of the class, beside ``batch_size``, ``seed`` and ``trainer`` (arguments of
        Lightning's Trainer, such as ``max_epochs``), or ``checkpoint_path``.

    Raises
    ------
    DetectorError
        If anomalib is not installed, or there is no such model, argument, file or device.
    """
    settings, chosen = request.settings, _model_class(request.rest)
    arguments = {key: value for key, value in settings.items() if key not in TRAINING}
    training = TrainingSettings(**{k: v for k, v in settings.items() if k in TRAINING})
    checkpoint = arguments.pop("checkpoint_path", None)
    _check_arguments(chosen, arguments)
    name, on = request.name, choose_device(request.device)
    with quiet_and_seeded(training.seed):
        if checkpoint is None:
            start = chosen(**(_without(chosen, NOT_NEEDED) | arguments))
            return AnomalibDetector(name, start, on, training, given=False)
        start = _loaded(chosen, Path(request.folder or ".") / str(checkpoint), arguments)
        return AnomalibDetector(name, start, on, None, given=True)


def adapted(obj: Any, name: str) -> Detector:
    """Return an anomalib model or inferencer as a detector.

    A `TorchInferencer` holds the whole model, and its raw outputs are taken; what an
    `OpenVINOInferencer` returns is used as it is.

    Raises
    ------
    DetectorError
        If it is none of these.
    """
    if comes_from(obj, "anomalib", MODEL_BASE):
        return AnomalibDetector(name, obj, _device_of(obj), TrainingSettings(), given=True)
    if comes_from(obj, "anomalib", "TorchInferencer"):
        return AnomalibDetector(name, obj.model, obj.device, None, given=True)
    if comes_from(obj, "anomalib", "OpenVINOInferencer"):
        return OpenVinoInferencerAdapter(obj, name)
    raise DetectorError(
        f"{import_path(type(obj))} is no detector; of anomalib, its models and its inferencers "
        f"{INFERENCERS} are accepted"
    )


def _model_class(name: str) -> Any:
    models = required("anomalib.models.image", "'anomalib[cpu]'")
    classes = {_spelt(known): known for known in models.__all__}
    if _spelt(name) in classes:
        return getattr(models, classes[_spelt(name)])
    near = get_close_matches(name, models.__all__, n=3, cutoff=0.4) or sorted(models.__all__)
    raise DetectorError(f"anomalib knows no model {name!r}; nearest: {', '.join(near)}")


def _spelt(name: str) -> str:
    """Return a name as anomalib compares it: ``efficient_ad`` is ``EfficientAd``."""
    return name.replace("_", "").lower()


def _check_arguments(chosen: Any, arguments: Mapping[str, Any]) -> None:
    valid = [*_parameters(chosen), *TRAINING, "checkpoint_path"]
    for key in arguments:
        if key not in valid:
            raise DetectorError(
                f"{chosen.__name__} has no argument {key!r}; {suggestion(key, valid)}"
            )


def _parameters(chosen: Any) -> list[str]:
    return [name for name in signature(chosen.__init__).parameters if name != "self"]


def _without(chosen: Any, names: Sequence[str]) -> dict[str, bool]:
    """Return the arguments that switch these parts off, where the class has them."""
    return dict.fromkeys([name for name in names if name in _parameters(chosen)], False)


def _loaded(chosen: Any, path: Path, arguments: Mapping[str, Any]) -> Any:
    """Load a Lightning checkpoint; it brings all weights, so that none are downloaded."""
    own = _without(chosen, ["pre_trained"]) | dict(arguments)
    try:
        return chosen.load_from_checkpoint(path, map_location="cpu", **own)
    except FileNotFoundError:
        raise DetectorError(f"no such checkpoint: {path}") from None
    except Exception as error:  # torch and Lightning fail in many ways on a foreign file
        raise DetectorError(
            f"{path} is no checkpoint of {chosen.__name__}: {one_line(error):.300}"
        ) from error


def _require_plain_steps(model: Any) -> None:
    """Refuse models whose outputs are not simply those of their network."""
    base = next(each for each in type(model).__mro__ if each.__name__ == MODEL_BASE)
    for step in ("forward", "predict_step"):
        if getattr(type(model), step) is not getattr(base, step):
            raise DetectorError(
                f"{type(model).__name__} computes its outputs in a {step} of its own, and its raw "
                "scores cannot be told; wrap it in a function (images -> scores, maps) instead"
            )


def _device_of(model: Any) -> torch.device:
    tensors = [*model.parameters(), *model.buffers()]
    return tensors[0].device if tensors else torch.device("cpu")


def _digest(model: Any) -> str:
    """Return the sha256 of names and values of all weights."""
    digest = hashlib.sha256()
    for name, values in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(values.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def _plane(values: Any) -> Floats:
    array = np.asarray(values, np.float32)
    return array.reshape(array.shape[-2:])
