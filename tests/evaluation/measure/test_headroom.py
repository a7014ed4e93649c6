"""From which exposure on the highlights of test pictures clip."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_robustbench.datasets.pictures.picture import Traits, read_picture
from pytest_robustbench.datasets.split import NORMAL, Sample
from pytest_robustbench.evaluation.measure.headroom import headroom, notes_on_headroom
from tests.evaluation.evaluation_parts import benchmark, split


def traits(*highlights):
    return [Traits(highlight=one) for one in highlights]


@pytest.mark.parametrize(
    ("level", "response", "stops"), [(255, "srgb", 0), (188, "srgb", 1), (128, "linear", 1)]
)
def test_headroom_is_the_stops_until_white(level, response, stops):
    assert headroom(traits(level), response) == pytest.approx(stops, abs=0.03)


def test_half_of_the_pictures_decide():
    assert headroom(traits(255, 188, 188), "srgb") == pytest.approx(1, abs=0.03)


def test_it_is_noted_where_it_is_little_and_something_gets_brighter():
    (note,) = notes_on_headroom(traits(230), "srgb", ["blur", "exposure", "lighting"])
    assert note == (
        "highlights clip from +0.34 EV on in half of the test pictures: brighter conditions of "
        "exposure, lighting are about clipping as well"
    )
    assert not list(notes_on_headroom(traits(230), "srgb", ["blur"]))
    assert not list(notes_on_headroom(traits(188), "srgb", ["exposure"]))


@pytest.mark.parametrize("colour", [False, True])
def test_the_highlights_are_what_one_in_a_thousand_values_exceeds(colour):
    image = np.full((100, 100, 3), 90, np.uint8)
    image[0, :5] = (200, 201, 202) if colour else 200  # five in ten thousand
    image[1, :20] = 140
    picture = read_picture(Sample("a", NORMAL, image))
    assert picture.traits.highlight == 140


def test_a_report_has_the_note():
    bright = split()
    samples = [
        type(s)(s.id, s.label, np.minimum(s.image, 165) + 90, s.mask, s.defect_type)
        for s in bright.test
    ]
    made = benchmark(split(test=samples), corruptions=["exposure"], severities=[1])
    made.prepare()
    assert any(note.startswith("highlights clip from +0") for note in made.header().notes)
