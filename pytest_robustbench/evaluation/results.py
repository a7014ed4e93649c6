"""What measuring one condition gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.arrays import Image, Mask
    from pytest_robustbench.conditions import Condition
    from pytest_robustbench.evaluation.measure.inventory import Inventory
    from pytest_robustbench.metrics.outcomes import Outcomes

RankingMode: TypeAlias = Literal["exact", "binned"]


@dataclass(frozen=True)
class Latency:
    """Wall time of `predict`, milliseconds.

    Parameters
    ----------
    calls : tuple of float
        Milliseconds per image (call time / batch size) of every timed call, in order.
    batch_size : int
        Images per call.
    median, p95, mean : float
        Over `calls`.
    reference : float
        Median milliseconds of the fixed reference workload, interleaved with the calls.
    reference_calls : tuple of float
        Milliseconds of every run of that workload, in order: how unquiet the machine was.
    device, reference_device : str
        Where the detector, and where the reference workload, computes: a kind such as ``cpu`` or
        ``cuda``, and behind a space which one.
    """

    calls: tuple[float, ...]
    batch_size: int
    median: float
    p95: float
    mean: float
    reference: float
    reference_calls: tuple[float, ...]
    device: str = "cpu"
    reference_device: str = "cpu"

    @property
    def relative(self) -> float | None:
        """Median time per image in units of the reference workload.

        ``None`` where that ran on another device: it tells nothing of the detector.
        """
        return self.median / self.reference if self.device == self.reference_device else None


@dataclass(frozen=True)
class PeakMemory:
    """Most memory in use while something was worked on, bytes.

    Parameters
    ----------
    host : int or None
        Resident set of the process; ``None`` where the system does not tell.
    device : int or None
        Allocated by torch on the fullest CUDA device; ``None`` where none is in use.
    """

    host: int | None = None
    device: int | None = None


@dataclass(frozen=True)
class PixelLevels:
    """Where the pixel scores of a condition lie.

    Parameters
    ----------
    background, defect : tuple of float
        Scores at the shares `metrics.levels.LEVELS`; empty where there are no such pixels.
    """

    background: tuple[float, ...] = ()
    defect: tuple[float, ...] = ()


@dataclass(frozen=True)
class Exhibit:
    """One image that shows what goes wrong under a condition, small.

    Parameters
    ----------
    index : int
        Its place in the columns of the result.
    image : (h, w, 3) uint8
        As the detector saw it.
    truth : (h, w) bool, optional
        The defect; ``None`` where the mask is not known.
    called : (h, w) bool, optional
        What lies above the pixel threshold; ``None`` without maps or threshold.
    """

    index: int
    image: Image
    truth: Mask | None
    called: Mask | None


@dataclass(frozen=True)
class ConditionResult:
    """One condition, measured at the frozen operating point.

    Parameters
    ----------
    condition : Condition
        What was done to the images.
    metrics : mapping of str to float or None
        Every metric a limit may name; ``None`` where it is not defined.
    undefined : mapping of str to str
        Why a metric is ``None``.
    operating_point : str
        Digest of the operating point used.
    image_threshold, pixel_threshold : float
        Its thresholds (`pixel_threshold` may be ``None``).
    image_counts : mapping of str to int
        ``tp tn fp fn`` over images.
    best_f1 : tuple of float, or None
        Best image F1 over all thresholds and its threshold: what retuning would have bought.
    trivial_segf1 : float or None
        SegF1 of calling every pixel a defect.
    trivial_segf1_per_image : float or None
        The same, as the mean over defect images: what stands beside `pixel_segf1_per_image`.
    per_image : Outcomes
        What was said of each test sample, in the split's order: enough to redo every pooled metric.
    digests : tuple of str
        Of the corrupted pixels and mask of each; empty for images that are left out.
    latency : Latency
        Timings of `predict`.
    specification : mapping
        Name, version, parameters, place and seed of the corruption; empty for clean.
    level : str
        How strong it is, in words and units; empty where that is not known.
    data_digest : str
        Hash over the specification and the images' digests.
    left_out : tuple of str
        Ids of samples the corruption pushed out of the frame.
    erased : tuple of str
        Ids of samples of whose defect the corruption has left nothing to be seen; they count.
    unknown_masks : tuple of str
        Ids of defect samples without a mask.
    ranking : {"exact", "binned"}
        Whether AUROC, AP and AUPRO of the pixels come from all scores or from a histogram.
    ranking_error : mapping of str to float
        By how much each of these may be off; empty where exact.
    memory : PeakMemory
        While the condition was measured.
    samples : Inventory, optional
        The samples measured, where they are those of a recorded set and not the test part.
    notes : tuple of str
        What a reader should know about these samples, where they are a recorded set's.
    recalibrated : mapping of str to float or None, optional
        What limits are proposed on, at the thresholds that recalibration would have given, where
        the operating point is frozen and that is known.
    pixel_levels : PixelLevels
        Where the pixel scores lie.
    exhibits : tuple of Exhibit
        The worst images; empty where nobody asked for them.
    """

    condition: Condition
    metrics: Mapping[str, float | None]
    undefined: Mapping[str, str]
    operating_point: str
    image_threshold: float
    pixel_threshold: float | None
    image_counts: Mapping[str, int]
    best_f1: tuple[float, float] | None
    trivial_segf1: float | None
    trivial_segf1_per_image: float | None
    per_image: Outcomes
    digests: tuple[str, ...]
    latency: Latency
    specification: Mapping[str, Any]
    data_digest: str
    level: str = ""
    left_out: tuple[str, ...] = field(default=())
    erased: tuple[str, ...] = ()
    unknown_masks: tuple[str, ...] = field(default=())
    ranking: RankingMode = "exact"
    ranking_error: Mapping[str, float] = field(default_factory=dict)
    memory: PeakMemory = field(default_factory=PeakMemory)
    samples: Inventory | None = None
    notes: tuple[str, ...] = ()
    recalibrated: Mapping[str, float | None] | None = None
    pixel_levels: PixelLevels = field(default_factory=PixelLevels)
    exhibits: tuple[Exhibit, ...] = ()
