"""What MLflow 2 sees of run_artifacts_tutorial.ts, on the server that MLFLOW_TRACKING_URI names.

Usage: python run_artifacts_checks.py JSON, what run_artifacts_tutorial.ts printed. OLLAMA_HOST must answer as Ollama.
"""

import json
import logging
import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
logging.getLogger("mlflow").setLevel(logging.ERROR)

import mlflow
from checks import check, done, equal
from mlflow import MlflowClient

made = json.loads(sys.argv[1])
client = MlflowClient()
REQUEST = {"messages": [{"role": "user", "content": "What is MLflow?"}], "max_tokens": 25, "custom_inputs": {"seed": "321"}}


@check("the experiment and the run are there, with params, metrics, tags and status")
def _():
    equal(client.get_experiment_by_name("chatmodel-quickstart").experiment_id, made["experiment_id"])
    run = client.get_run(made["run_id"])
    equal(run.info.status, "FINISHED")
    equal(run.info.run_name, "tutorial")
    equal(
        run.data.params,
        {"base_model": "llama3.2:1b", "temperature": "0.5", "greeting": "hello", "nested/a": "2"},
    )
    equal(run.data.metrics, {"accuracy": 0.875})
    equal([point.value for point in client.get_metric_history(made["run_id"], "accuracy")], [0.75, 0.875])
    equal(run.data.tags["stage"], "tutorial")
    found = client.search_runs([made["experiment_id"]], "metrics.accuracy > 0.8 and params.temperature = '0.5'")
    equal([run.info.run_id for run in found], [made["run_id"]])


@check("the run's artifacts can be listed and downloaded")
def _():
    equal([file.path for file in client.list_artifacts(made["run_id"])], ["notes", "odd", "ollama_model"])
    equal(mlflow.artifacts.load_text(f"runs:/{made['run_id']}/notes/note.txt"), "hello")
    with tempfile.TemporaryDirectory() as folder:
        path = mlflow.artifacts.download_artifacts(artifact_uri=made["model_uri"], dst_path=folder)
        names = {name for name in os.listdir(path)}
        assert {"MLmodel", "src", "code", "artifacts", "input_example.json"} <= names, names


@check("the registered versions and the alias are there")
def _():
    version = client.get_model_version_by_alias("assistant", "champion")
    equal(str(version.version), made["version"])
    equal(version.run_id, made["run_id"])
    equal(version.status, "READY")
    equal(
        sorted(str(found.version) for found in client.search_model_versions("name = 'assistant'")),
        ["1", "2"],
    )


@check("get_model_info: the signature is ChatModel's, metadata and example are read")
def _():
    from mlflow.types.llm import CHAT_MODEL_INPUT_SCHEMA, CHAT_MODEL_OUTPUT_SCHEMA

    for uri in [made["model_uri"], "models:/assistant@champion"]:
        info = mlflow.models.get_model_info(uri)
        equal(info.signature, mlflow.models.ModelSignature(CHAT_MODEL_INPUT_SCHEMA, CHAT_MODEL_OUTPUT_SCHEMA))
        equal(info.metadata, {"task": "agent/v1/chat"})
        equal(info.run_id, made["run_id"])
        equal(info.saved_input_example_info["artifact_path"], "input_example.json")
        equal(info.flavors["python_function"]["config"], {"greeting": "hello", "nested": {"a": 2}})


@check("load_model(...).predict and predict_stream answer")
def _():
    for uri in [made["model_uri"], "models:/assistant@champion"]:
        model = mlflow.pyfunc.load_model(uri)
        answer = model.predict(REQUEST)
        equal(answer["object"], "chat.completion")
        assert answer["choices"][0]["message"]["content"], answer
        chunks = list(model.predict_stream(REQUEST))
        assert len(chunks) > 3, chunks
        equal({chunk["object"] for chunk in chunks}, {"chat.completion.chunk"})


@check("Python logs a run and registers the model beside it")
def _():
    mlflow.set_experiment("chatmodel-quickstart")
    with mlflow.start_run(run_name="from-python"):
        mlflow.log_param("language", "Python")
        mlflow.log_metric("accuracy", 0.5)
        mlflow.log_text("hello", "note.txt")
    version = mlflow.register_model(made["model_uri"], "from_python")
    client.set_registered_model_alias("from_python", "best", version.version)


done()
