"""Reads with genuine MLflow what durability.ts wrote: read_back.py URI RUN_ID {"name": last step, ...}."""

import json
import sys

import mlflow
from mlflow import MlflowClient

uri, run_id, expected = sys.argv[1:]
client = MlflowClient(tracking_uri=uri)
run = client.get_run(run_id)
lost = 0
read = 0
for name, last in json.loads(expected).items():
    steps = {metric.step for metric in client.get_metric_history(run_id, f"{name}.metric")}
    for step in range(last + 1):
        read += 1
        if step not in steps or run.data.params.get(f"{name}.param.{step}") != str(step):
            lost += 1
print(f"MLflow {mlflow.__version__} reads {read} of them back, {lost} lost")
sys.exit(1 if lost else 0)
