"""Detectors of other packages: anomalib, PyImgAno, and estimators."""
