"""A trained model file on real images: calibrated only on what it has not seen."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from integration_data import real_split

import pytest_robustbench as rb
from pytest_robustbench.conditions import CLEAN
from pytest_robustbench.datasets.images import image_folder
from pytest_robustbench.datasets.store import PictureStore
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.errors import CalibrationError

pytest.importorskip("torch")

FACTORY = """\
from pytest_robustbench.detectors.patchcore import PatchCore


def load(path):
    return PatchCore.load(path, device="cpu")
"""


@pytest.fixture(scope="module")
def halves(test_data):
    """The train images in two halves: those the model sees, and those it does not."""
    split = real_split(test_data, "magnetic_tile")
    return split, split.train[::2], split.train[1::2]


@pytest.fixture(scope="module")
def model(halves, tmp_path_factory):
    """A model fitted elsewhere, saved, and loaded through the project's own factory."""
    folder = tmp_path_factory.mktemp("line")
    (folder / "tile_line_models.py").write_text(FACTORY, encoding="utf-8")
    split, seen, _ = halves
    store = PictureStore(split.resize)
    trained = load_detector("patchcore", device="cpu")
    trained.fit([store.load(sample).image.copy() for sample in seen])
    trained.save(folder / "v7.npz")
    return load_detector(
        "tile_line_models:load", kwargs={"path": str(folder / "v7.npz")}, folder=folder
    )


def test_images_it_has_seen_are_refused_under_other_names(halves, model, tmp_path):
    split, seen, unseen = halves
    for i, sample in enumerate([*unseen[:5], seen[30]]):
        shutil.copy(sample.image, tmp_path / f"part_{i}{sample.image.suffix}")
    own = image_folder(tmp_path, "calibration")
    parts = replace(split, train=seen, calibration=own)

    with pytest.raises(CalibrationError) as raised:
        rb.Benchmark(parts, model, fitted=True).prepare()

    assert f"calibration/part_5 is {seen[30].id}" in str(raised.value)
    assert "the detector has seen it" in str(raised.value)


def test_on_unseen_images_false_positives_are_of_the_promised_order(halves, model):
    split, seen, unseen = halves
    normals = tuple(sample for sample in split.test if sample.label == 0)
    parts = replace(split, train=seen, calibration=unseen, test=normals)
    benchmark = rb.Benchmark(parts, model, fitted=True)

    point = benchmark.prepare()
    result = benchmark.evaluate(CLEAN)

    assert (point.method, point.n_images) == ("images", len(unseen))
    assert 0 < result.metrics["normal_fpr"] < 10 * (1 - point.pixel_normal_quantile)
    assert benchmark.header().detector["fitted"] is True
