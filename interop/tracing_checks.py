"""Traces of calls that Deno made by enableTracing(), read by MLflow's own client.

Usage: tracing_checks.py JSON, with what tracing_calls.ts printed.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

import mlflow
from mlflow import MlflowClient

from checks import check, done, equal

made = json.loads(sys.argv[1])
client = MlflowClient()
found = mlflow.search_traces(experiment_ids=[made["experiment_id"]], return_type="list")
traces = {trace.data.spans[0].name: client.get_trace(trace.info.trace_id) for trace in found}
# A server of 3.12 makes no tags of what comes by OTLP, and keeps session and user with the quotation marks of JSON.
old_server = mlflow.get_tracking_uri().startswith("http") and mlflow.__version__.startswith("3.12.")

# Attributes that a chat has, whatever becomes of it.
CHAT = {
    "chatmodel.outcome", "chatmodel.request_id", "chatmodel.stream", "gen_ai.conversation.id", "gen_ai.operation.name",
    "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.request.temperature", "mlflow.chat.tools", "mlflow.llm.model",
    "mlflow.llm.provider", "mlflow.message.format", "mlflow.spanFunctionName", "mlflow.spanInputs", "mlflow.spanLogLevel",
    "mlflow.spanType", "mlflow.traceRequestId", "session.id", "user.id", "mlflow.traceTag.env",
}
ANSWER = {"chatmodel.chunks", "gen_ai.response.id", "gen_ai.response.model", "mlflow.spanOutputs"}
TOKENS = {"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "mlflow.chat.tokenUsage"}
LINKS = {
    "mlflow.modelId", "chatmodel.model_uri", "chatmodel.registered_model.name", "chatmodel.registered_model.version",
}


def attributes(span):
    # MLflow adds some of its own.
    return {name for name in span.attributes if name not in ("mlflow.experimentId", "mlflow.spanId")}


def tree(trace):
    names = {span.span_id: span.name for span in trace.data.spans}
    return sorted((span.name, span.span_type, names.get(span.parent_id)) for span in trace.data.spans)


@check("enableTracing(): each call is one trace")
def _():
    equal(sorted(traces), ["chat failed", "chat left", "chat streamed", "invoke_agent looped"])
    for trace in traces.values():
        equal(trace.info.trace_metadata["mlflow.trace.session"].strip('"'), "s1")
        equal(trace.info.trace_metadata["mlflow.trace.user"].strip('"'), "u1")
        equal(trace.info.request_preview, "Wie geht es? Grüße 🐻")
        if not old_server:
            equal(trace.info.tags["env"], "test")


@check("enableTracing(): a streamed call, with chat, tools and tokens")
def _():
    trace = traces["chat streamed"]
    (span,) = trace.data.spans
    equal(attributes(span), CHAT | ANSWER | TOKENS | LINKS | {
        "gen_ai.response.finish_reasons", "gen_ai.response.time_to_first_chunk",
    })
    equal((trace.info.state.value, trace.info.response_preview), ("OK", "Gut!"))
    equal(trace.info.token_usage, {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7})
    equal(span.inputs["messages"], [{"role": "user", "content": "Wie geht es? Grüße 🐻"}])
    equal(span.outputs["choices"][0]["message"]["content"], "Gut!")
    equal(span.get_attribute("mlflow.chat.tools")[0]["function"]["name"], "weather")
    equal((span.span_type, span.get_attribute("chatmodel.stream")), ("CHAT_MODEL", True))


@check("enableTracing(): a failed call")
def _():
    trace = traces["chat failed"]
    (span,) = trace.data.spans
    equal(attributes(span), CHAT | ANSWER | TOKENS | {"error.type", "chatmodel.usage.estimated"})
    equal((trace.info.state.value, span.status.status_code.value, span.status.description), ("ERROR", "ERROR", "no more"))
    equal([event.attributes["exception.message"] for event in span.events], ["no more"])


@check("enableTracing(): a call that its reader left")
def _():
    trace = traces["chat left"]
    (span,) = trace.data.spans
    equal(attributes(span), CHAT | ANSWER | TOKENS | {
        "error.type", "chatmodel.usage.estimated", "gen_ai.response.time_to_first_chunk",
    })
    equal((trace.info.state.value, trace.info.response_preview), ("OK", "Hello there"))
    equal((span.get_attribute("chatmodel.outcome"), span.get_attribute("error.type")), ("cancelled", "cancelled"))


@check("enableTracing(): an agent with a tool is a tree, and tokens count once")
def _():
    trace = traces["invoke_agent looped"]
    equal(tree(trace), [
        ("chat inner", "CHAT_MODEL", "invoke_agent looped"),
        ("invoke_agent looped", "AGENT", None),
        ("search", "TOOL", "invoke_agent looped"),
    ])
    (tool,) = [span for span in trace.data.spans if span.name == "search"]
    equal((tool.inputs, tool.outputs), ({"q": "bears"}, ["a", "b"]))
    equal(attributes(tool) - {"mlflow.traceTag.env"}, {
        "gen_ai.operation.name", "gen_ai.tool.name", "mlflow.spanInputs", "mlflow.spanLogLevel", "mlflow.spanOutputs",
        "mlflow.spanType", "mlflow.traceRequestId",
    })
    equal(trace.info.token_usage["total_tokens"], 7)


@check("enableTracing(): traces are found by run and by model")
def _():
    def find(filter_string):
        some = mlflow.search_traces(
            experiment_ids=[made["experiment_id"]], filter_string=filter_string, return_type="list"
        )
        return sorted(trace.info.trace_id for trace in some)

    equal(find(f"attributes.run_id = '{made['run_id']}'"), sorted(trace.info.trace_id for trace in traces.values()))
    streamed = traces["chat streamed"].info
    equal(find(f"metadata.`mlflow.modelId` = '{made['modelId']}'"), [streamed.trace_id])
    metadata = streamed.trace_metadata
    equal(metadata["chatmodel.model_uri"], made["uri"])
    equal(metadata["chatmodel.registered_model.name"], made["registeredName"])
    equal(metadata["chatmodel.registered_model.version"], made["registeredVersion"])


done()
