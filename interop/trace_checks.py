"""Traces that Deno logged, read by MLflow's own client; then traces of Python's, for read_traces.ts.

Usage: trace_checks.py JSON, with what traces.ts printed.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

import mlflow
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, SpanType

from checks import check, contains, done, equal

made = json.loads(sys.argv[1])
client = MlflowClient()
experiment_id = made["experiment_id"]
mlflow.set_experiment(experiment_id=experiment_id)
START = 1_795_000_000_123_456_789


def find(filter_string):
    found = mlflow.search_traces(experiment_ids=[experiment_id], filter_string=filter_string, return_type="list")
    return {trace.info.trace_id for trace in found}


@check("get_trace() shows what the trace is")
def _():
    info = client.get_trace(made["chat"]).info
    equal(info.experiment_id, experiment_id)
    equal(info.state.value, "OK")
    equal((info.request_time, info.execution_duration), (START // 1_000_000, 2000))
    equal((info.request_preview, info.response_preview), ("Wie spät ist es? 🕰", "Zwölf"))
    equal(info.token_usage, {"input_tokens": 11, "output_tokens": 4, "total_tokens": 15})
    equal(info.tags["mlflow.traceName"], "chat assistant")
    equal((info.tags["env"], info.tags["color"]), ("interop", "blue"))
    metadata = info.trace_metadata
    equal(metadata["mlflow.trace.session"], "session-1")
    equal(metadata["mlflow.trace.user"], "someone")
    equal(metadata["mlflow.sourceRun"], made["run_id"])
    equal(metadata["mlflow.modelId"], "m-0123456789abcdef0123456789abcdef")


@check("get_trace() shows the spans")
def _():
    root, tool = client.get_trace(made["chat"]).data.spans
    equal((root.name, root.span_type, root.parent_id, root.status.status_code.value), ("chat assistant", "CHAT_MODEL", None, "OK"))
    equal((root.start_time_ns, root.end_time_ns), (START, START + 2_000_000_000))
    equal(root.inputs, {"messages": [{"role": "user", "content": "Wie spät ist es? 🕰"}]})
    equal(root.outputs, {"choices": [{"message": {"role": "assistant", "content": "Zwölf"}}]})
    equal(root.get_attribute("mlflow.chat.tools"), [{"type": "function", "function": {"name": "clock"}}])
    equal(root.get_attribute("mlflow.chat.tokenUsage")["total_tokens"], 15)
    equal((root.get_attribute("temperature"), root.get_attribute("flag")), (0.5, True))
    equal([(event.name, event.timestamp) for event in root.events], [("mlflow.chunk.item.0", START + 5)])
    equal((tool.name, tool.span_type, tool.parent_id), ("clock", "TOOL", root.span_id))
    equal((tool.inputs, tool.outputs), ({"zone": "UTC"}, "12:00"))


@check("get_trace() shows the failed trace, and the one that goes on")
def _():
    failed = client.get_trace(made["failed"])
    equal(failed.info.state.value, "ERROR")
    (span,) = failed.data.spans
    equal((span.status.status_code.value, span.status.description), ("ERROR", "it broke"))
    equal(span.events[0].attributes["exception.message"], "it broke")
    equal(failed.info.tags["reviewed"], "yes")
    going_on = client.get_trace(made["open"])
    equal(going_on.info.state.value, "IN_PROGRESS")
    equal(len(going_on.data.spans), 1)


@check("get_trace() shows the assessments")
def _():
    found = {one.name: one for one in client.get_trace(made["chat"]).info.assessments}
    equal(sorted(found), ["broken", "facts", "good", "relevance"])
    relevance = found["relevance"]
    equal((relevance.feedback.value, relevance.rationale), (0.75, "fast richtig – ja"))
    equal((relevance.source.source_type, relevance.source.source_id), ("LLM_JUDGE", "judge"))
    equal((relevance.metadata, relevance.assessment_id, relevance.valid), ({"round": "1"}, made["feedback"], True))
    equal((found["good"].feedback.value, found["good"].source.source_type), (True, "HUMAN"))
    equal((found["broken"].feedback.error.error_code, found["broken"].feedback.value), ("SCORER_ERROR", None))
    equal(found["facts"].expectation.value, {"time": "12:00"})


@check("search_traces() finds them")
def _():
    equal(find(""), {made["chat"], made["failed"], made["open"]})
    equal(find("attributes.status = 'ERROR'"), {made["failed"]})
    equal(find("attributes.name = 'chat assistant'"), {made["chat"]})
    equal(find(f"attributes.run_id = '{made['run_id']}'"), {made["chat"], made["failed"]})
    equal(find("tags.env = 'interop'"), {made["chat"]})
    equal(find("metadata.`mlflow.trace.session` = 'session-1'"), {made["chat"]})
    equal(find("span.type = 'TOOL'"), {made["chat"], made["open"]})
    equal(find("feedback.good = 'true'"), {made["chat"]})
    frame = mlflow.search_traces(experiment_ids=[experiment_id])
    (request,) = frame[frame.trace_id == made["chat"]].request.tolist()
    equal(request, {"messages": [{"role": "user", "content": "Wie spät ist es? 🕰"}]})


@check("MLflow changes traces and assessments of Deno's")
def _():
    client.set_trace_tag(made["failed"], "from", "python")
    client.delete_trace_tag(made["failed"], "reviewed")
    relevance = mlflow.get_assessment(made["chat"], made["feedback"])
    relevance.feedback.value = 0.5
    mlflow.update_assessment(made["chat"], made["feedback"], relevance)
    mlflow.log_feedback(trace_id=made["failed"], name="python", value="no", rationale="broke",
                        source=AssessmentSource(source_type="HUMAN", source_id="py"))


@check("Python's own tracing goes to the same store")
def _():
    @mlflow.trace(span_type=SpanType.TOOL)
    def look_up(query):
        return {"found": [query]}

    with mlflow.start_run(run_id=made["run_id"]):
        with mlflow.start_span("from python", span_type=SpanType.CHAT_MODEL) as span:
            span.set_inputs({"messages": [{"role": "user", "content": "Grüße 😀"}]})
            span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3})
            mlflow.update_current_trace(tags={"made": "by python"}, metadata={"mlflow.trace.session": "session-2"})
            look_up("é")
            span.set_outputs({"choices": [{"message": {"role": "assistant", "content": "ok"}}]})
        trace_id = span.trace_id
    try:
        with mlflow.start_span("python fails"):
            raise ValueError("broken in Python")
    except ValueError:
        pass
    mlflow.flush_trace_async_logging()
    mlflow.log_expectation(trace_id=trace_id, name="expected", value=["a", "b"])
    mlflow.log_feedback(trace_id=trace_id, name="score", value=4)
    contains(client.get_trace(trace_id).info.tags, "by python")


done()
