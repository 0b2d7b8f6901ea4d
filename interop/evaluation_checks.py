"""What MLflow sees of evaluation.ts, in the store that MLFLOW_TRACKING_URI names.

Usage: python evaluation_checks.py JSON, what evaluation.ts printed.
"""

import json
import logging
import statistics
import sys
import warnings

warnings.filterwarnings("ignore")
logging.getLogger("mlflow").setLevel(logging.ERROR)

import mlflow
from checks import check, done, equal
from mlflow import MlflowClient

made = json.loads(sys.argv[1])
client = MlflowClient()
# `load_table` looks in the active experiment only.
experiment_id = mlflow.set_experiment("evaluation").experiment_id


@check("search_runs finds the run by its metrics, params and tags")
def _():
    found = mlflow.search_runs(
        [experiment_id],
        "metrics.`exact_match/mean` > 0.7 and params.dataset = 'rows.jsonl' and tags.`chatmodel.gate` = 'passed'",
    )
    equal(list(found["run_id"]), [made["run_id"]])
    equal(found.loc[0, "metrics.exact_match/mean"], 0.75)
    equal(found.loc[0, "params.model_uri"], "models:/evaluated/2")
    equal(found.loc[0, "tags.mlflow.runName"], "candidate")
    equal(found.loc[0, "tags.chatmodel.baseline_run_id"], made["baseline_run_id"])
    evaluations = client.search_runs([experiment_id], "tags.`mlflow.runType` = 'genai_evaluate'")
    equal({run.info.run_id for run in evaluations}, {made["run_id"], made["baseline_run_id"]})


@check("the run has the metrics that were printed, its dataset and its model")
def _():
    run = client.get_run(made["run_id"])
    equal(run.info.status, "FINISHED")
    equal(run.data.metrics, made["metrics"])
    [entry] = run.inputs.dataset_inputs
    equal((entry.dataset.name, entry.dataset.digest), ("rows.jsonl", made["dataset_digest"]))
    equal(json.loads(entry.dataset.profile)["num_rows"], 4)
    equal([model.model_id for model in run.inputs.model_inputs], [made["model_id"]])
    model = client.get_logged_model(made["model_id"])
    values = {metric.key: metric.value for metric in model.metrics if metric.run_id == made["run_id"]}
    equal(values["exact_match/mean"], 0.75)


@check("load_table reads the rows, and the metrics follow from them")
def _():
    table = mlflow.load_table("eval_results.json", run_ids=[made["run_id"]])
    equal(list(table["row_id"]), ["one", "two", "three", "four"])
    equal(list(table["state"]), ["OK", "OK", "OK", "ERROR"])
    equal(list(table["exact_match/value"]), [True, True, True, False])
    equal(list(table["expected_response/value"]), ["one", "TWO", "drei ä 😀", "four"])
    equal(statistics.fmean(map(float, table["exact_match/value"])), made["metrics"]["exact_match/mean"])
    lengths = [value for value in table["length/value"] if value is not None and value == value]
    equal(statistics.fmean(lengths), made["metrics"]["length/mean"])
    latencies = table["latency/value"].dropna().astype(float)
    assert abs(latencies.quantile(0.95) - made["metrics"]["latency/p95"]) < 1e-9, latencies
    equal(table.loc[0, "response"]["choices"][0]["message"]["content"], "one")
    both = mlflow.load_table("eval_results.json", run_ids=[made["run_id"], made["baseline_run_id"]], extra_columns=["run_id"])
    equal(len(both), 8)
    equal(set(both["run_id"]), {made["run_id"], made["baseline_run_id"]})


@check("the page is told of the table")
def _():
    noted = json.loads(client.get_run(made["run_id"]).data.tags["mlflow.loggedArtifacts"])
    equal(noted, [{"path": "eval_results.json", "type": "table"}])


@check("the alias stands for the version that passed the gate")
def _():
    equal(str(client.get_model_version_by_alias("evaluated", "champion").version), "2")


if made["has_traces"]:

    @check("each row has a trace, with its scores and expectations, linked to the run")
    def _():
        traces = mlflow.search_traces(locations=[experiment_id], run_id=made["run_id"], return_type="list")
        equal(len(traces), 4)
        found = {}
        for trace in traces:
            assessments = {assessment.name: assessment for assessment in trace.info.assessments}
            equal(assessments["exact_match"].metadata["mlflow.assessment.sourceRunId"], made["run_id"])
            expected = assessments["expected_response"].expectation.value
            found[expected] = assessments["exact_match"].feedback.value
        equal(found, {"one": True, "TWO": True, "drei ä 😀": True, "four": False})


done()
