"""The process that measures: datasets, detectors, conditions."""
