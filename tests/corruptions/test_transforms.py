"""Transforms of the real packages, wrapped."""

from __future__ import annotations

import random
import sys
import types
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pytest_robustbench.corruptions.catalogue import REGISTERED
from pytest_robustbench.corruptions.digests import picture_digest
from pytest_robustbench.corruptions.registry import load_corruption, register_corruption
from pytest_robustbench.corruptions.transforms import transform_corruption
from pytest_robustbench.errors import CorruptionError
from tests.corruptions.corruption_pictures import SEVERITIES, block_mask, picture

DRAW = {"seed": 0, "sample_id": "a"}
IMAGE, MASK = picture(0, 80, 96), block_mask(80, 96)


@pytest.fixture(scope="module")
def albumentations():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_ALBUMENTATIONS_UPDATE", "1")
        return pytest.importorskip("albumentations", minversion="2.0")


@pytest.fixture(scope="module")
def torchvision():
    # Some installations lack a matching build of these operators; no transform needs them.
    with pytest.MonkeyPatch.context() as patch:
        stub = types.ModuleType("torchvision._meta_registrations")
        patch.setitem(sys.modules, "torchvision._meta_registrations", stub)
        found = pytest.importorskip("torchvision")
        pytest.importorskip("torchvision.transforms.v2")
        return found


@pytest.fixture
def darker(albumentations):
    def make(severity, step=0.1):
        limit = (-step * severity, -step * severity / 2)
        return albumentations.RandomBrightnessContrast(limit, (0, 0), p=1)

    return transform_corruption("darker", make)


@pytest.fixture
def turned(albumentations):
    def make(severity):
        return albumentations.Rotate((3 * severity, 4 * severity), p=1)

    return transform_corruption("turned", make)


@pytest.fixture
def v2_turned(torchvision):
    v2 = torchvision.transforms.v2
    return transform_corruption("turned", lambda s: v2.RandomRotation((3 * s, 4 * s)))


@pytest.fixture
def v2_faded(torchvision):
    v2 = torchvision.transforms.v2
    return transform_corruption("faded", lambda s: v2.ColorJitter((1 - 0.15 * s, 1 - 0.1 * s)))


@pytest.fixture
def v1_faded(torchvision):
    v1 = torchvision.transforms
    return transform_corruption("faded", lambda s: v1.ColorJitter((1 - 0.15 * s, 1 - 0.1 * s)))


STILL = ["darker", "v2_faded", "v1_faded"]
MOVING = ["turned", "v2_turned"]
still = pytest.mark.parametrize("fixture", STILL)
moving = pytest.mark.parametrize("fixture", MOVING)
every = pytest.mark.parametrize("fixture", [*STILL, *MOVING])


@still
def test_pixels_change_more_with_severity_and_the_mask_stays(fixture, request):
    corruption = request.getfixturevalue(fixture)
    mask = MASK.copy()
    mask.flags.writeable = False
    results = [corruption.apply(IMAGE, mask, severity, **DRAW) for severity in SEVERITIES]
    means = [one.image.mean() for one in results]
    assert means == sorted(means, reverse=True)
    assert means[0] < IMAGE.mean()
    assert all(one.mask is mask and one.ignored is None for one in results)
    assert not corruption.moves_pixels


@moving
def test_mask_and_frame_move_with_the_picture(fixture, request):
    corruption = request.getfixturevalue(fixture)
    image = np.where(MASK[..., None], np.uint8(200), np.uint8(50)) * np.ones(3, np.uint8)
    assert corruption.moves_pixels
    for severity in SEVERITIES:
        result = corruption.apply(image, MASK, severity, **DRAW)
        seen = result.image[..., 0]
        assert (seen[result.mask] > 100).mean() > 0.9
        assert (seen[~result.mask & ~result.ignored] < 150).mean() > 0.95
        assert (seen[~result.ignored] >= 49).all()  # nothing blended with what fills the corners
        assert 0 < result.ignored.mean() < 0.3
        assert corruption.apply(image, None, severity, **DRAW).mask is None


@moving
def test_defects_that_leave_the_frame_are_left_out(fixture, request):
    corruption = request.getfixturevalue(fixture)
    middle, corner = np.zeros((2, 80, 96), bool)
    middle[30:50, 40:60] = True
    corner[:4, :4] = True
    assert not corruption.leaves_out(middle, **DRAW)
    assert corruption.leaves_out(corner, **DRAW)


@every
def test_draws_depend_on_sample_and_seed_only(fixture, request):
    corruption = request.getfixturevalue(fixture)
    jobs = [(seed, sample) for seed in (0, 1) for sample in "abcd"]

    def digest(job):
        seed, sample = job
        return picture_digest(corruption.apply(IMAGE, MASK, 4, seed=seed, sample_id=sample))

    alone = {job: digest(job) for job in jobs}
    random.seed(99)
    with ThreadPoolExecutor(4) as pool:
        threaded = dict(zip(reversed(jobs), pool.map(digest, reversed(jobs)), strict=True))
    assert threaded == alone
    assert len(set(alone.values())) > 4


@every
def test_the_generators_of_the_process_are_left_as_they_were(fixture, request):
    torch = pytest.importorskip("torch")
    corruption = request.getfixturevalue(fixture)

    def numbers():
        return random.random(), np.random.random(), torch.rand(1).item()  # noqa: NPY002

    def seed():
        random.seed(5)
        np.random.seed(5)  # noqa: NPY002
        torch.manual_seed(5)

    seed()
    undisturbed = [numbers(), numbers()]
    seed()
    disturbed = [numbers()]
    corruption.apply(IMAGE, MASK, 3, **DRAW)
    disturbed.append(numbers())
    assert disturbed == undisturbed


def test_transforms_that_draw_from_the_process_are_reproducible_too(albumentations):
    class Speckle(albumentations.ImageOnlyTransform):
        def __init__(self, share):
            super().__init__(p=1)
            self.share = share

        def __repr__(self):
            return f"Speckle({self.share})"

        def apply(self, img, **_):
            speckled = np.random.random(img.shape[:2]) < self.share  # noqa: NPY002
            return np.where(speckled[..., None], np.uint8(random.randrange(256)), img)

    corruption = transform_corruption("speckle", lambda s: Speckle(0.1 * s))
    results = [corruption.apply(IMAGE, None, 3, **DRAW).image for _ in range(2)]
    assert (results[0] == results[1]).all()
    weaker, stronger = (corruption.apply(IMAGE, None, s, **DRAW).image for s in (1, 5))
    assert ((weaker != IMAGE) <= (stronger != IMAGE)).all()


def test_the_report_says_what_was_done(darker, v2_turned):
    parameters = darker.specification(0)["parameters"]
    assert parameters["package"].startswith("albumentations 2.")
    assert len(set(parameters["transforms"])) == 5
    assert "RandomBrightnessContrast" in parameters["transforms"][0]
    assert v2_turned.specification(0)["parameters"]["package"].startswith("torchvision v2 ")


def test_a_package_may_come_from_a_distribution_of_another_name(albumentations, monkeypatch):
    monkeypatch.setattr("pytest_robustbench.importing.distributions", list)  # AlbumentationsX, say
    blur = transform_corruption("soft", lambda s: albumentations.Posterize(num_bits=8 - s, p=1))
    found = blur.specification(0)["parameters"]["package"]
    assert found == f"albumentations {albumentations.__version__}"


def test_addresses_in_memory_are_not_part_of_the_report(albumentations):
    class Halved(albumentations.Posterize):
        def __repr__(self):
            return f"{object.__repr__(self)} of {self.num_bits}"

    def specification():
        corruption = transform_corruption("mine", lambda s: Halved(num_bits=8 - s, p=1))
        return corruption.specification(0)

    assert " at 0x" not in str(specification())
    assert "Halved object>" in str(specification())
    assert specification() == specification()


def test_five_transforms_will_do(albumentations):
    five = [albumentations.GaussianBlur((2 * s + 1, 2 * s + 1), p=1) for s in SEVERITIES]
    corruption = transform_corruption("soft", five)
    assert corruption.apply(IMAGE, None, 5, **DRAW).image.std() < IMAGE.std()


def test_a_composition_moves_pixels_if_any_part_does(albumentations):
    def make(severity):
        blur = albumentations.GaussianBlur((3, 3), p=0.5)
        turn = albumentations.Rotate((2 * severity, 2 * severity), p=1)
        return albumentations.Compose([blur, albumentations.OneOf([turn], p=1)])

    assert transform_corruption("both", make).moves_pixels


def complaint_of(transforms, **options):
    with pytest.raises(CorruptionError) as caught:
        transform_corruption("mine", transforms, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_a_corruption_of_albumentations_is_explained(albumentations):
    blur = albumentations.GaussianBlur((3, 3), p=1)

    def posterize(severity, **options):
        return albumentations.Posterize(num_bits=8 - severity, **options)

    assert "single transform (GaussianBlur): severity would change nothing" in complaint_of(blur)
    assert "same transform at every severity" in complaint_of([blur] * 5)
    assert "same transform at every severity" in complaint_of(lambda _: blur)
    assert "one per severity, not 2" in complaint_of([blur, blur])
    assert "give p=1" in complaint_of(posterize)
    assert "with p=0.9" in complaint_of(lambda s: posterize(s, p=0.9))
    composed = complaint_of(lambda s: albumentations.Compose([posterize(s)]))
    assert "none of its parts is certain" in composed
    assert "raised ZeroDivisionError" in complaint_of(lambda _: 1 // 0)
    assert "not of int" in complaint_of(lambda _: 3)
    unknown = complaint_of(posterize, parameters={"num_bits": 3})
    assert "raised TypeError" in unknown  # passed on, and refused by the transform
    misspelt = complaint_of(lambda s, p: posterize(s, p=p), parameters={"P": 1})
    assert "has no parameter 'P'" in misspelt
    assert "has no parameters" in complaint_of([blur] * 5, parameters={"strength": 1})


def test_what_cannot_be_a_corruption_of_torchvision_is_explained(albumentations, torchvision):
    v1, v2 = torchvision.transforms, torchvision.transforms.v2
    rotations = complaint_of(v1.RandomRotation)
    assert "take the same transform from torchvision.transforms.v2" in rotations
    assert "give p=1" in complaint_of(lambda s: v2.RandomPosterize(8 - s))
    assert "single transform (ColorJitter)" in complaint_of(v2.ColorJitter(0.3))
    mixed = [albumentations.GaussianBlur((3, 3), p=1), *[v2.ColorJitter(0.1 * s) for s in range(4)]]
    assert "of one package" in complaint_of(mixed)


def test_what_returns_no_picture_is_named(torchvision):
    v2 = torchvision.transforms.v2
    torch = pytest.importorskip("torch")
    floats = transform_corruption(
        "floats", lambda s: v2.Compose([v2.ColorJitter(0.1 * s), v2.ToDtype(torch.float32)])
    )
    with pytest.raises(CorruptionError, match=r"'floats' on sample 'a' .*float32 array"):
        floats.apply(IMAGE, MASK, 2, **DRAW)
    smaller = transform_corruption("smaller", lambda s: v2.CenterCrop(60 - s))
    with pytest.raises(CorruptionError, match=r"'smaller' .*shape \(59, 59, 3\) as image"):
        smaller.apply(IMAGE, MASK, 1, **DRAW)


def test_a_mask_that_moves_unannounced_is_an_error(albumentations):
    wrong = transform_corruption(
        "wrong", lambda s: albumentations.Rotate((9 * s, 9 * s), p=1), moves_pixels=False
    )
    with pytest.raises(CorruptionError, match="give moves_pixels=True"):
        wrong.apply(IMAGE, MASK, 3, **DRAW)


@pytest.fixture
def drift(tmp_path, albumentations):
    module = "line_drift_transforms"
    (tmp_path / f"{module}.py").write_text(
        "import albumentations as A\n"
        "def rain(severity, drop=0.05):\n"
        "    return A.RandomRain(brightness_coefficient=1 - drop * severity, p=1)\n"
        "FIVE = [A.Posterize(num_bits=8 - s, p=1) for s in range(1, 6)]\n"
        "ONE = A.Posterize(num_bits=3, p=1)\n"
    )
    yield tmp_path, module
    sys.modules.pop(module, None)


def test_import_paths_name_functions_of_severity_and_sequences(drift):
    folder, module = drift
    rain = load_corruption(f"{module}:rain", folder)
    heavy = load_corruption({f"{module}:rain": {"drop": 0.15}, "name": "heavy"}, folder)
    five = load_corruption(f"{module}:FIVE", folder)
    assert (rain.name, heavy.name, five.name) == ("rain", "heavy", "five")
    assert heavy.specification(0)["parameters"]["drop"] == 0.15
    darkness = [one.apply(IMAGE, None, 4, **DRAW).image.mean() for one in (rain, heavy)]
    assert darkness[1] < darkness[0]
    with pytest.raises(CorruptionError, match="'one' is a single transform"):
        load_corruption(f"{module}:ONE", folder)
    with pytest.raises(CorruptionError, match="no parameter 'drops'; did you mean 'drop'"):
        load_corruption({f"{module}:rain": {"drops": 3}}, folder)


def test_parameters_of_a_registered_function_are_its_arguments(darker):
    more = darker.configured({"step": 0.15})
    assert more.specification(0)["parameters"]["step"] == 0.15
    darkness = [one.apply(IMAGE, None, 4, **DRAW).image.mean() for one in (darker, more)]
    assert darkness[1] < darkness[0]
    with pytest.raises(CorruptionError, match="no parameter 'stop'; did you mean 'step'"):
        darker.configured({"stop": 1})


def test_transforms_can_be_registered(albumentations, monkeypatch):
    monkeypatch.delitem(REGISTERED, "tilted", raising=False)
    five = [albumentations.Rotate((3 * s, 3 * s), p=1) for s in SEVERITIES]
    registered = register_corruption("tilted", five)
    assert register_corruption("tilted", list(five)) is registered
    assert registered.moves_pixels
    assert load_corruption("tilted") is registered
    part = load_corruption({"compose": ["tilted", "noise"]})
    assert part.apply(IMAGE, MASK, 3, **DRAW).ignored.any()
    monkeypatch.delitem(REGISTERED, "tilted")
