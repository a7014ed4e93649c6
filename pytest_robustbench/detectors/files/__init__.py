"""Detectors from model files, run by the runtime that the file is made for."""
