"""Times with genuine MLflow what speed.ts times: speed.py URI EXPERIMENT_ID RUN_ID ROUNDS. Prints JSON."""

import json
import logging
import os
import statistics
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import mlflow
from mlflow import MlflowClient

uri, experiment_id, run_id, rounds = sys.argv[1:]
mlflow.set_tracking_uri(uri)
client = MlflowClient()

MODEL = '''
from mlflow.models import set_model
from mlflow.pyfunc import ChatModel
from mlflow.types.llm import ChatChoice, ChatCompletionResponse, ChatMessage


class Hello(ChatModel):
    def predict(self, context, messages, params):
        message = ChatMessage(role="assistant", content="Hello, world")
        return ChatCompletionResponse(choices=[ChatChoice(index=0, message=message)])


set_model(Hello())
'''
path = os.path.join(tempfile.mkdtemp(), "hello.py")
with open(path, "w") as stream:
    stream.write(MODEL)


def timed(action):
    times = []
    for _ in range(int(rounds)):
        begin = time.perf_counter()
        action()
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


def all_runs():
    token = None
    while True:
        page = client.search_runs([experiment_id], max_results=50000, page_token=token)
        token = page.token
        if not token:
            return


logged = []


def log():
    with mlflow.start_run(experiment_id=experiment_id):
        # Requirements given, so that they need not be found by calling the model.
        logged.append(mlflow.pyfunc.log_model(name="hello", python_model=path, pip_requirements=["mlflow"]))


FILTER = "metrics.accuracy > 0.5 and params.model = 'llama3.2:1b' and attributes.run_name LIKE 'run-%'"
print(
    json.dumps(
        {
            "a page of 1000 runs": timed(lambda: client.search_runs([experiment_id], max_results=1000)),
            "three conditions, ordered by a metric": timed(
                lambda: client.search_runs(
                    [experiment_id], FILTER, order_by=["metrics.accuracy DESC"], max_results=1000
                )
            ),
            "all 10 000 runs": timed(all_runs),
            "a history of 10 000 points": timed(lambda: client.get_metric_history(run_id, "loss")),
            "one run": timed(lambda: client.get_run(run_id)),
            "log a model": timed(log),
            "load a model": timed(lambda: mlflow.pyfunc.load_model(logged[-1].model_uri)),
        }
    )
)
