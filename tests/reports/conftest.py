"""One small real report, measured once for all tests of this room, and the pages they look at."""

from __future__ import annotations

import pytest

from tests.reports.page_samples import full_page, hostile_page, photographed_page
from tests.reports.report_samples import small_benchmark


@pytest.fixture(scope="session")
def real_report():
    return small_benchmark().run()


@pytest.fixture(scope="session")
def drawn_page(tmp_path_factory):
    return full_page(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="session")
def real_page(tmp_path_factory, test_data):
    few = {"corruptions": ["blur", "geo_jitter"], "severities": [3, 5]}
    return photographed_page(tmp_path_factory.mktemp("real"), test_data, **few)


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    return hostile_page(tmp_path_factory.mktemp("hostile"))
