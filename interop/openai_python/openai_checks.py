"""Twenty-three calls of openai-python, with its strict validation on, told to `check.ts` in lines.

Usage: python openai_checks.py LIMIT TOP LOG_LIMIT

OPENAI_BASE_URL names the server, which has the scripted models of the recordings. The numbers are those that these were
made with: the limit of tokens; and the alternatives to each token, with that one's limit.
"""

import json
import sys

import openai
from checks import check, done, equal, raises
from openai import BadRequestError, NotFoundError, OpenAI
from pydantic import BaseModel, ConfigDict

limit, top, log_limit = (int(number) for number in sys.argv[1:])
# Body of the last answer: what the client makes of it may be more right than it was.
last = ""


def keep(response):
    global last
    response.read()
    last = response.text


# Bodies are validated against the client's types: it raises APIResponseValidationError for what it would else let pass.
client = OpenAI(
    api_key="none",
    max_retries=0,
    timeout=20,
    http_client=openai.DefaultHttpxClient(event_hooks={"response": [keep]}),
    _strict_response_validation=True,
)
chat = client.chat.completions

HELLO = "Hello from a scripted model. How can I help you today?"
ASKED = [{"role": "user", "content": "<|hello|>"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Current weather",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "City name"},
                    "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                },
                "required": ["city"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "get_time",
            "description": "Current time",
            "parameters": {"type": "object", "properties": {"tz": {"type": "string"}}},
        },
    },
]


def same(value, sent):
    """Each field that was sent has the very type that the client declares, and is what the client shows."""
    equal(type(value).model_validate(sent, strict=True).to_dict(mode="json"), sent)
    equal(value.to_dict(mode="json"), sent)
    return value


def typed(value):
    """The answer, if it is what was sent."""
    return same(value, json.loads(last))


def pieces(stream):
    """All of a stream, if each piece is what was sent."""
    found = list(stream)
    lines = [line.removeprefix("data: ") for line in last.splitlines() if line.startswith("data: ")]
    sent = [json.loads(line) for line in lines if line != "[DONE]"]
    equal(len(found), len(sent))
    return [same(*pair) for pair in zip(found, sent)]


def counted(usage):
    """The usage, if it was counted and adds up."""
    assert usage is not None, "there is no usage"
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0, usage
    equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
    return usage


def answered(completion, model="plain"):
    """The only choice of an answer that is as it must be."""
    typed(completion)
    assert completion.id.startswith("chatcmpl-"), completion.id
    assert completion.created > 1_600_000_000, completion.created
    equal((completion.object, completion.model), ("chat.completion", model))
    counted(completion.usage)
    (choice,) = completion.choices
    equal((choice.index, choice.message.role), (0, "assistant"))
    return choice


def streamed(stream, model="plain"):
    """The chunks with a choice, and the usage, of a stream that is as it must be."""
    chunks = pieces(stream)
    assert last.endswith("data: [DONE]\n\n"), "it does not tell that it is whole"
    equal({(chunk.id, chunk.created, chunk.model, chunk.object) for chunk in chunks}, {
        (chunks[0].id, chunks[0].created, model, "chat.completion.chunk")
    })
    usage = None
    if not chunks[-1].choices:
        usage = counted(chunks.pop().usage)
        # As OpenAI says of include_usage: all others have the field, too.
        assert all("usage" in chunk.model_fields_set for chunk in chunks), "only the last piece has the field usage"
    assert all(chunk.usage is None for chunk in chunks), "the usage comes before the end"
    choices = [choice for chunk in chunks for choice in chunk.choices]
    equal((len(choices), {choice.index for choice in choices}), (len(chunks), {0}))
    # The role comes once, and first; why the answer ended comes once, and last.
    equal([choice.delta.role for choice in choices], ["assistant"] + [None] * (len(choices) - 1))
    equal([choice.finish_reason for choice in choices[:-1]], [None] * (len(choices) - 1))
    assert choices[-1].finish_reason is not None, "it does not tell why it ended"
    return choices, usage


def text_of(choices):
    return "".join(choice.delta.content or "" for choice in choices)


@check("chat.completions.create()")
def _():
    choice = answered(chat.create(model="plain", messages=ASKED))
    equal((choice.message.content, choice.message.tool_calls, choice.finish_reason), (HELLO, None, "stop"))


@check("_request_id of an answer and of an error")
def _():
    raw = chat.with_raw_response.create(model="plain", messages=ASKED)
    answer = raw.parse()
    assert answer._request_id, "there is none"
    equal(answer._request_id, raw.headers["x-request-id"])
    error = raises(NotFoundError, chat.create, model="nope", messages=ASKED)
    assert error.request_id and error.request_id != answer._request_id, error.request_id


@check("chat.completions.create(stream=True)")
def _():
    choices, usage = streamed(chat.create(model="plain", messages=ASKED, stream=True))
    equal((text_of(choices), choices[-1].finish_reason, usage), (HELLO, "stop", None))
    assert len(choices) > 3, "it comes in no pieces"


@check("stream_options.include_usage")
def _():
    options = {"include_usage": True}
    choices, usage = streamed(chat.create(model="plain", messages=ASKED, stream=True, stream_options=options))
    equal(text_of(choices), HELLO)
    assert usage is not None, "there is no usage"


@check("models.list() with short names")
def _():
    page = typed(client.models.list())
    found = {model.id: model for model in page}
    assert "plain" in found, f"there are {sorted(found)}"
    equal(found["plain"].object, "model")


@check("models.retrieve() by a short name")
def _():
    model = typed(client.models.retrieve("plain"))
    equal((model.id, model.object), ("plain", "model"))
    assert model.created > 1_600_000_000 and model.owned_by, model


@check("n")
def _():
    completion = typed(chat.create(model="plain", messages=ASKED, n=2))
    equal([(choice.index, choice.message.content) for choice in completion.choices], [(0, HELLO), (1, HELLO)])
    counted(completion.usage)


@check("max_tokens")
def _():
    completion = chat.create(model="plain", messages=ASKED, max_tokens=limit)
    choice = answered(completion)
    equal((choice.finish_reason, completion.usage.completion_tokens), ("length", limit))
    assert HELLO.startswith(choice.message.content), choice


@check("max_completion_tokens")
def _():
    completion = chat.create(model="plain", messages=ASKED, max_completion_tokens=limit)
    choice = answered(completion)
    equal((choice.finish_reason, completion.usage.completion_tokens), ("length", limit))
    assert HELLO.startswith(choice.message.content), choice


@check("stop")
def _():
    messages = [{"role": "user", "content": "<|stopper|>"}]
    choice = answered(chat.create(model="plain", messages=messages, stop=["STOP", "END"]))
    equal((choice.message.content, choice.finish_reason), ("before ", "stop"))


@check("a tool call")
def _():
    messages = [{"role": "user", "content": "<|weather|>"}]
    choice = answered(chat.create(model="tools", messages=messages, tools=TOOLS), "tools")
    equal(choice.finish_reason, "tool_calls")
    (call,) = choice.message.tool_calls
    equal((call.type, call.function.name), ("function", "get_weather"))
    equal(json.loads(call.function.arguments), {"city": "Paris", "unit": "celsius"})
    assert call.id, "the call has no id"


@check("two tool calls, streamed")
def _():
    messages = [{"role": "user", "content": "<|two|>"}]
    choices, _ = streamed(chat.create(model="tools", messages=messages, tools=TOOLS, stream=True), "tools")
    equal(choices[-1].finish_reason, "tool_calls")
    calls = {}
    for piece in (piece for choice in choices for piece in choice.delta.tool_calls or []):
        call = calls.setdefault(piece.index, {"arguments": ""})
        if piece.id is not None:
            assert "id" not in call, "the id comes twice"
            call.update(id=piece.id, type=piece.type, name=piece.function.name)
        call["arguments"] += piece.function.arguments or ""
    equal(sorted(calls), [0, 1])
    assert calls[0]["id"] and calls[1]["id"] and calls[0]["id"] != calls[1]["id"], calls
    equal([calls[i]["type"] for i in (0, 1)], ["function", "function"])
    equal([calls[i]["name"] for i in (0, 1)], ["get_weather", "get_time"])
    equal(json.loads(calls[0]["arguments"])["city"], "Zürich")


@check("the answer to the result of a tool")
def _():
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": '{"temp":21}'},
    ]
    choice = answered(chat.create(model="tools", messages=messages, tools=TOOLS), "tools")
    equal((choice.message.content, choice.finish_reason), ("It is 21 degrees and sunny in Paris.", "stop"))


class Weather(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    city: str
    temp_c: int
    tags: list[str]


@check("response_format with a JSON Schema")
def _():
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "temp_c": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["city", "temp_c", "tags"],
    }
    choice = answered(
        chat.create(
            model="plain",
            messages=[{"role": "user", "content": "<|json|>"}],
            response_format={"type": "json_schema", "json_schema": {"name": "w", "strict": True, "schema": schema}},
        )
    )
    found = Weather.model_validate_json(choice.message.content)
    equal(found, Weather(city="Paris", temp_c=21, tags=["sunny", "dry"]))


@check("logprobs and top_logprobs, streamed")
def _():
    choices, _ = streamed(
        chat.create(
            model="plain", messages=ASKED, logprobs=True, top_logprobs=top, max_tokens=log_limit, stream=True
        )
    )
    equal(choices[-1].finish_reason, "length")
    tokens = [token for choice in choices if choice.logprobs for token in choice.logprobs.content or []]
    equal("".join(token.token for token in tokens), text_of(choices))
    equal(len(tokens), log_limit)
    for token in tokens:
        assert token.logprob <= 0, token
        equal((bytes(token.bytes).decode(), len(token.top_logprobs)), (token.token, top))


@check("role developer")
def _():
    messages = [{"role": "developer", "content": "x"}, *ASKED]
    equal(answered(chat.create(model="plain", messages=messages)).message.content, HELLO)


@check("content in parts")
def _():
    parts = [{"type": "text", "text": "a "}, {"type": "text", "text": "<|hello|>"}]
    messages = [{"role": "user", "content": parts}]
    equal(answered(chat.create(model="plain", messages=messages)).message.content, HELLO)


def refused(error_class, code, param, **request):
    """The server refuses a request as OpenAI does, and its client tells so."""
    error = raises(error_class, chat.create, **{"model": "plain", "messages": ASKED, **request})
    equal((error.type, error.code, error.param), ("invalid_request_error", code, param))
    assert error.body["message"], error.body


@check("NotFoundError of a model, with code and param")
def _():
    refused(NotFoundError, "model_not_found", "model", model="nope")


@check("BadRequestError of a role, with param")
def _():
    error = raises(BadRequestError, chat.create, model="plain", messages=[{"role": "narrator", "content": "<|hello|>"}])
    equal(error.type, "invalid_request_error")
    assert error.param and error.param.startswith("messages") and error.param.endswith("role"), error.param
    assert error.code, "there is no code"


@check("BadRequestError of a type, with param")
def _():
    error = raises(BadRequestError, chat.create, model="plain", messages=ASKED, temperature="hot")
    equal((error.type, error.param), ("invalid_request_error", "temperature"))
    assert error.code, "there is no code"


@check("reasoning_effort with a model that does not think")
def _():
    choice = answered(chat.create(model="plain", messages=ASKED, reasoning_effort="low"))
    equal(choice.message.content, HELLO)


def responded(response):
    """A response that is as it must be."""
    equal((response.object, response.model, response.status), ("response", "plain", "completed"))
    equal((response.error, response.incomplete_details, response.output_text), (None, None, HELLO))
    (message,) = response.output
    equal((message.type, message.role, message.status), ("message", "assistant", "completed"))
    usage = response.usage
    assert usage.input_tokens > 0 and usage.output_tokens > 0, usage
    equal(usage.total_tokens, usage.input_tokens + usage.output_tokens)
    return response


@check("responses.create()")
def _():
    assert responded(typed(client.responses.create(model="plain", input="<|hello|>"))).id.startswith("resp_")


@check("responses.create(stream=True)")
def _():
    events = pieces(client.responses.create(model="plain", input="<|hello|>", stream=True))
    equal([event.sequence_number for event in events], list(range(len(events))))
    kinds = [event.type for event in events]
    deltas = kinds.count("response.output_text.delta")
    assert deltas > 3, "it comes in no pieces"
    equal(kinds, [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * deltas,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ])
    equal("".join(event.delta for event in events if event.type == "response.output_text.delta"), HELLO)
    equal(responded(events[-1].response).id, events[0].response.id)


# For who reads the output: a version that was not asked for would show here.
print(f"openai {openai.__version__}", file=sys.stderr)
done()
