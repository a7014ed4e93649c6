"""The kinds of files that are damaged; a row per kind."""

from __future__ import annotations

from tests.fuzz.subject import Subject
from tests.fuzz.subjects.datasets import LOCO, MANIFESTS, VISA
from tests.fuzz.subjects.detectors import DETECTORS
from tests.fuzz.subjects.json_files import (
    DRIFTS,
    JOURNALS,
    OPERATING_POINTS,
    REPORTS,
    SESSIONS,
)
from tests.fuzz.subjects.pictures import IMAGES, MASKS
from tests.fuzz.subjects.runs import RUNS
from tests.fuzz.subjects.verdicts import REPORTS_JUDGED, SESSIONS_JUDGED
from tests.fuzz.subjects.yaml_documents import YAML

SUBJECTS: dict[str, Subject] = {
    subject.name: subject
    for subject in (
        *(YAML, IMAGES, MASKS, REPORTS, JOURNALS, MANIFESTS),
        *(SESSIONS, OPERATING_POINTS, VISA, LOCO, DETECTORS, RUNS),
        *(SESSIONS_JUDGED, REPORTS_JUDGED, DRIFTS),
    )
}
