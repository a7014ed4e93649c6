#!/bin/sh
# Stores the model in production as the baseline, and holds every candidate against it.
set -eu
MODEL=production pytest-robustbench run --config robustness.yaml --output-dir reports/production --without-baseline
pytest-robustbench accept "reports/production/${CATEGORY:-hazelnut}.json" --config robustness.yaml --reason "in production"
for MODEL in production half_coreset random_backbone wrong_normalisation; do
  export MODEL
  echo "== $MODEL"
  pytest-robustbench run --config robustness.yaml --output-dir "reports/$MODEL" || true
done
