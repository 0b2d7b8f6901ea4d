"""What genuine MLflow sees of tutorial.ts, in the store that MLFLOW_TRACKING_URI names.

Usage: python store_checks.py JSON, what tutorial.ts printed. OLLAMA_HOST must answer as Ollama.
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
import pandas
from checks import check, contains, done, equal, raises
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

made = json.loads(sys.argv[1])
client = MlflowClient()
REQUEST = {"messages": [{"role": "user", "content": "What is MLflow?"}], "max_tokens": 25, "custom_inputs": {"seed": "321"}}


@check("the experiment is there")
def _():
    experiment = client.get_experiment_by_name("chatmodel-quickstart")
    equal(experiment.experiment_id, made["experiment_id"])
    contains([found.name for found in client.search_experiments()], "chatmodel-quickstart")


@check("the run is there, with params, metrics, tags and status")
def _():
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
    equal([output.model_id for output in run.outputs.model_outputs], [made["model_id"]])
    found = client.search_runs([made["experiment_id"]], "metrics.accuracy > 0.8 and params.temperature = '0.5'")
    equal([run.info.run_id for run in found], [made["run_id"]])


@check("the logged model is there, ready, linked to its run and version")
def _():
    model = client.get_logged_model(made["model_id"])
    equal(str(model.status), "READY")
    equal(model.name, "ollama_model")
    equal(model.source_run_id, made["run_id"])
    equal(model.tags["team"], "interop")
    equal(model.params["base_model"], "llama3.2:1b")
    contains(model.tags["mlflow.modelVersions"], "assistant")
    found = client.search_logged_models([made["experiment_id"]], filter_string="name = 'ollama_model'")
    equal([model.model_id for model in found], [made["model_id"]])


@check("the registered version and its alias are there")
def _():
    version = client.get_model_version_by_alias("assistant", "champion")
    equal(str(version.version), made["version"])
    equal(version.run_id, made["run_id"])
    aliases = client.get_registered_model("assistant").aliases
    # Numbers from a database, text from a server.
    equal({alias: str(version) for alias, version in aliases.items()}, {"champion": made["version"]})
    equal([str(found.version) for found in client.search_model_versions("name = 'assistant'")], [made["version"]])


@check("get_model_info: the signature is ChatModel's, metadata and example are read")
def _():
    from mlflow.types.llm import CHAT_MODEL_INPUT_SCHEMA, CHAT_MODEL_OUTPUT_SCHEMA

    info = mlflow.models.get_model_info("models:/assistant@champion")
    equal(info.signature, mlflow.models.ModelSignature(CHAT_MODEL_INPUT_SCHEMA, CHAT_MODEL_OUTPUT_SCHEMA))
    equal(info.metadata, {"task": "agent/v1/chat"})
    equal(info.model_id, made["model_id"])
    equal(info.run_id, made["run_id"])
    equal(info.saved_input_example_info["artifact_path"], "input_example.json")
    equal(info.flavors["python_function"]["config"], {"greeting": "hello", "nested": {"a": 2}})


model = mlflow.pyfunc.load_model("models:/assistant@champion")


@check("load_model(...).predict answers, with the input example too")
def _():
    answer = model.predict(REQUEST)
    equal(answer["object"], "chat.completion")
    assert answer["choices"][0]["message"]["content"], answer
    equal(model.model_id, made["model_id"])
    assert model.predict(model.input_example)["choices"][0]["message"]["content"]


@check("load_model(...).predict_stream answers chunk by chunk")
def _():
    chunks = list(model.predict_stream(REQUEST))
    assert len(chunks) > 3, chunks
    equal({chunk["object"] for chunk in chunks}, {"chat.completion.chunk"})
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])


@check("what MLflow's schema refuses, it refuses before the model")
def _():
    contains(raises(MlflowException, model.predict, {"messages": "Hi"}), "schema")


@check("each URI of the model loads")
def _():
    for uri in [made["model_uri"], f"runs:/{made['run_id']}/ollama_model", f"models:/assistant/{made['version']}"]:
        assert mlflow.pyfunc.load_model(uri).predict(REQUEST)["choices"], uri


@check("artifacts can be listed and downloaded")
def _():
    with tempfile.TemporaryDirectory() as folder:
        path = mlflow.artifacts.download_artifacts(artifact_uri="models:/assistant@champion", dst_path=folder)
        names = {name for name in os.listdir(path)}
        assert {"MLmodel", "src", "code", "artifacts", "input_example.json"} <= names, names
        assert os.path.getsize(os.path.join(path, "artifacts", "README.md")) > 100


@check("the custom model answers, with params and their defaults")
def _():
    custom = mlflow.pyfunc.load_model(made["custom_uri"])
    data = {"messages": [{"role": "user", "content": "Hi"}]}
    equal([param.name for param in custom.metadata.get_params_schema().params][0], "max_tokens")
    equal(custom.predict(data, params={"max_tokens": 5})["choices"][0]["message"]["role"], "assistant")
    equal(custom.predict(data)["object"], "chat.completion")


@check("mlflow.genai.evaluate runs the model")
def _():
    from mlflow.genai.scorers import scorer

    @scorer
    def answers(outputs):
        return bool(outputs["choices"][0]["message"]["content"])

    result = mlflow.genai.evaluate(
        data=[{"inputs": {"messages": REQUEST["messages"]}}] * 3,
        scorers=[answers],
        predict_fn=lambda messages: model.predict({"messages": messages}),
    )
    equal(result.metrics["answers/mean"], 1.0)


@check("Python logs a run and registers a model beside it")
def _():
    mlflow.set_experiment("chatmodel-quickstart")
    with mlflow.start_run(run_name="from-python"):
        mlflow.log_param("language", "Python")
        mlflow.log_metric("accuracy", 0.5)
        mlflow.log_text("hello", "note.txt")
    client.create_registered_model("from_python", description="by Python")
    version = client.create_model_version("from_python", made["model_uri"], model_id=made["model_id"])
    client.set_registered_model_alias("from_python", "best", version.version)


done()
