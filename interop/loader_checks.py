"""Checks of code/deno_chat_loader.py, with the model of interop/models/loader_model.ts.

Usage: python loader_checks.py FOLDER, the folder of the logged model.
"""

import contextlib
import hashlib
import json
import os
import pickle
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import warnings

import mlflow
import pandas
import yaml
from checks import check, contains, done, equal, eventually, raises

FOLDER = os.path.abspath(sys.argv[1])
WORK = tempfile.mkdtemp(prefix="loader-checks-")


def request(text, **params):
    return {"messages": [{"role": "user", "content": text}], **params}


def text_of(response):
    return response["choices"][0]["message"]["content"]


def ask(model, text, **params):
    return text_of(model.predict(request(text, **params)))


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid):
    eventually(lambda: not runs(pid))


@contextlib.contextmanager
def environment(**variables):
    before = dict(os.environ)
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def changed(name, change):
    """A copy of the folder with something changed in its flavor."""
    folder = os.path.join(WORK, name)
    shutil.copytree(FOLDER, folder)
    path = os.path.join(folder, "MLmodel")
    with open(path) as stream:
        content = yaml.safe_load(stream)
    change(content["flavors"]["deno_function"])
    with open(path, "w") as stream:
        yaml.safe_dump(content, stream)
    return folder


def rehash(folder, changed_path):
    """Makes a changed file one of the model's, as if it had been saved so."""
    path = os.path.join(folder, "MLmodel")
    with open(path) as stream:
        content = yaml.safe_load(stream)
    with open(os.path.join(folder, changed_path), "rb") as stream:
        data = stream.read()
    for file in content["flavors"]["deno_function"]["files"]:
        if file["path"] == changed_path:
            file.update(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    with open(path, "w") as stream:
        yaml.safe_dump(content, stream)


def program(name, text):
    path = os.path.join(WORK, name)
    with open(path, "w") as stream:
        stream.write(text)
    os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
    return path


def files_of(folder):
    found = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as stream:
                found[os.path.relpath(path, folder)] = hashlib.sha256(stream.read()).hexdigest()
    return found


FILES = files_of(FOLDER)
loaded = mlflow.pyfunc.load_model(FOLDER)
# MLflow put the folder's code on the path.
import deno_chat_loader as loader  # noqa: E402

model = loader._load_pyfunc(FOLDER)


@check("loader: pyfunc.load_model answers, at once and in pieces")
def _():
    equal(ask(loaded, "hello"), "hello")
    pieces = [chunk["choices"][0]["delta"].get("content") for chunk in loaded.predict_stream(request("count:100"))]
    equal("".join(piece or "" for piece in pieces), "".join(f"{number} " for number in range(100)))


@check("loader: the process is started once, at load")
def _():
    pid = model._session.current.process.pid
    equal(ask(model, "pid"), str(pid))
    equal(ask(model, "pid"), str(pid))


@check("loader: the folder is left as it was")
def _():
    equal(files_of(FOLDER), FILES)


@check("loader: what the model prints does not disturb its answers")
def _():
    equal(ask(model, "log:some noise"), "logged")
    equal(ask(model, "after"), "after")
    eventually(lambda: any("some noise" in line for line in model._session.current.said))


@check("loader: 20 threads are answered at the same time, each its own answer")
def _():
    answers = {}

    def run(number):
        answers[number] = ask(model, f"together:20 {number}")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    equal(answers, {number: f"20 {number}" for number in range(20)})


@check("loader: 20 threads with 50 calls and streams each get what they asked for")
def _():
    wrong = []

    def run(number):
        for turn in range(50):
            if turn % 10 == 0:
                count = 40 + number
                chunks = list(model.predict_stream(request(f"count:{count}")))
                text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
                if text != "".join(f"{index} " for index in range(count)):
                    wrong.append(text)
            elif ask(model, f"{number} {turn}") != f"{number} {turn}":
                wrong.append((number, turn))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(wrong, [])
    equal(model._session.current.calls, {})


@check("loader: long and odd texts come through")
def _():
    equal(ask(model, "length:" + "ä" * 5_000_000), "5000000")
    equal(ask(model, "🦕 \u2028 \x1e \x00 end"), "🦕 \u2028 \x1e \x00 end")


@check("loader: a closed stream stops the model")
def _():
    stream = model.predict_stream(request("forever"))
    next(stream)
    next(stream)
    equal(ask(model, "running"), "1")
    stream.close()
    eventually(lambda: ask(model, "running") == "0")
    equal(model._session.current.calls, {})


@check("loader: a stream that is dropped stops the model")
def _():
    for chunk in loaded.predict_stream(request("forever")):
        break
    stream = model.predict_stream(request("forever"))
    next(stream)
    del stream
    eventually(lambda: ask(model, "running") == "0")
    equal(ask(model, "after"), "after")


@check("loader: a stream that is never begun asks for nothing")
def _():
    model.predict_stream(request("forever"))
    equal(model._session.current.calls, {})


@check("loader: a slow reader does not let the stream pile up")
def _():
    stream = model.predict_stream(request("flood"))
    for _ in range(5):
        next(stream)
    counts = [int(ask(model, "yielded")) for _ in range(30)]
    assert counts[-1] < 500, counts
    equal(counts[-1], counts[-5])
    for _ in range(500):
        next(stream)
    stream.close()


@check("loader: an invalid request is refused with status 400 and its path")
def _():
    error = raises(loader.DenoModelError, model.predict, {"messages": [{"role": "bot", "content": "secret"}]})
    equal((error.status, error.param, error.error_code), (400, "messages.0.role", "INVALID_PARAMETER_VALUE"))
    assert "secret" not in str(error)
    error = raises(loader.DenoModelError, lambda: list(model.predict_stream({"messages": []})))
    equal(error.status, 400)


@check("loader: what the model throws is an error with status 500")
def _():
    error = raises(mlflow.MlflowException, model.predict, request("throw:it broke"))
    equal((error.status, error.error_code), (500, "INTERNAL_ERROR"))
    contains(error, "it broke")
    equal(pickle.loads(pickle.dumps(error)).status, 500)


@check("loader: a process that died is in the error with its stderr, and the next call starts another")
def _():
    pid = ask(model, "pid")
    error = raises(loader.DenoModelError, model.predict, request("crash"))
    contains(error, "exit code 7", "about to crash")
    assert ask(model, "pid") != pid
    os.kill(int(ask(model, "pid")), signal.SIGKILL)
    eventually(lambda: model._session.current.process.poll() is not None)
    equal(ask(model, "after"), "after")


@check("loader: all calls end when the process dies, streams too")
def _():
    errors = []

    def run(text):
        try:
            for _ in model.predict_stream(request("forever")) if text is None else [ask(model, text)]:
                pass
        except loader.DenoModelError as error:
            errors.append(error.code)

    threads = [threading.Thread(target=run, args=(text,)) for text in ("sleep:600000", None, "sleep:600000")]
    for thread in threads:
        thread.start()
    eventually(lambda: len(model._session.current.calls) == 3)
    raises(loader.DenoModelError, model.predict, request("crash"))
    for thread in threads:
        thread.join(10)
    equal(errors, ["process_died"] * 3)
    equal(ask(model, "after"), "after")


@check("loader: CHATMODEL_TIMEOUT ends a call and cancels it in the model")
def _():
    before = int(ask(model, "cancelled"))
    with environment(CHATMODEL_TIMEOUT="0.3"):
        error = raises(loader.DenoModelError, model.predict, request("sleep:600000"))
    equal((error.code, error.status), ("timeout", 504))
    contains(error, "CHATMODEL_TIMEOUT")
    equal(int(ask(model, "cancelled")), before + 1)


@check("loader: a process that runs in circles is ended after the time limit")
def _():
    pid = ask(model, "pid")
    with environment(CHATMODEL_TIMEOUT="0.3"):
        equal(raises(loader.DenoModelError, model.predict, request("stuck")).code, "timeout")
    gone(pid)
    equal(ask(model, "after"), "after")


@check("loader: a time limit that is no number is refused")
def _():
    with environment(CHATMODEL_TIMEOUT="soon"):
        contains(raises(loader.DenoModelError, model.predict, request("x")), "CHATMODEL_TIMEOUT", "soon")


@check("loader: without deno, the error names what was tried and the variable to set")
def _():
    folder = changed("no_deno", lambda flavor: flavor.update(deno="/nowhere/deno"))
    with environment(PATH=WORK, CHATMODEL_DENO=None):
        error = raises(loader.DenoModelError, loader._load_pyfunc, folder)
    contains(error, '"deno" on the PATH', "/nowhere/deno", "npx", "CHATMODEL_DENO")


@check("loader: a CHATMODEL_DENO that does not exist is not passed over")
def _():
    with environment(CHATMODEL_DENO="/nowhere/deno run"):
        contains(raises(loader.DenoModelError, loader._load_pyfunc, FOLDER), "CHATMODEL_DENO", "/nowhere/deno")


@check("loader: a start that takes too long is given up, and leaves no process")
def _():
    slow = program("slow_deno", f"#!/bin/sh\necho slow >&2\necho $$ > {WORK}/slow.pid\nsleep 600 & wait\n")
    with environment(CHATMODEL_DENO=slow, CHATMODEL_START_TIMEOUT="0.5"):
        error = raises(loader.DenoModelError, loader._load_pyfunc, FOLDER)
    contains(error, "CHATMODEL_START_TIMEOUT", "slow_deno", "It said:\nslow")
    with open(f"{WORK}/slow.pid") as stream:
        gone(int(stream.read()))


@check("loader: a deno that fails at the start is in the error with its stderr")
def _():
    broken = program("broken_deno", "#!/bin/sh\necho no such option >&2\nexit 3\n")
    with environment(CHATMODEL_DENO=broken):
        error = raises(loader.DenoModelError, loader._load_pyfunc, FOLDER)
    contains(error, "exit code 3", "no such option", "broken_deno")


@check("loader: a slow start succeeds within its time")
def _():
    [deno, *_] = model._session.current.command
    late = program("late_deno", f'#!/bin/sh\nsleep 1\nexec "{deno}" "$@"\n')
    with environment(CHATMODEL_DENO=late):
        equal(ask(loader._load_pyfunc(FOLDER), "hello"), "hello")


@check("loader: a model that cannot be loaded fails at load, with the reason")
def _():
    folder = changed("broken", lambda flavor: None)
    path = os.path.join(folder, yaml.safe_load(open(os.path.join(folder, "MLmodel")))["flavors"]["deno_function"]["model_path"])
    with open(path, "a") as stream:
        stream.write('\nthrow new Error("not today");\n')
    error = raises(loader.DenoModelError, loader._load_pyfunc, folder)
    # A folder with hashes is refused before its code runs.
    assert "not today" in str(error) or os.path.basename(path) in str(error), error


@check("loader: the permissions of MLmodel are those of the process")
def _():
    folder = changed("allowed", lambda flavor: flavor.update(permissions={"net": ["127.0.0.1:1", "a.b:2"], "env": False}))
    allowed = loader._load_pyfunc(folder)
    command = allowed._session.current.command
    assert "--allow-net=127.0.0.1:1,a.b:2" in command, command
    assert not [part for part in command if part.startswith(("--allow-env", "--allow-all", "--allow-write"))], command
    assert any(part.startswith(f"--allow-read={folder}") for part in command), command
    folder = changed("odd", lambda flavor: flavor.update(permissions={"everything": True}))
    contains(raises(loader.DenoModelError, loader._load_pyfunc, folder), "everything")


@check("loader: a deno.json or package.json beside the folder or in the working directory is not read")
def _():
    parent = os.path.join(WORK, "project")
    os.mkdir(parent)
    for name in ("deno.json", "package.json"):
        with open(os.path.join(parent, name), "w") as stream:
            stream.write("{ broken")
    shutil.copytree(FOLDER, os.path.join(parent, "model"))
    before = os.getcwd()
    os.chdir(parent)
    try:
        equal(ask(loader._load_pyfunc("model"), "hello"), "hello")
    finally:
        os.chdir(before)


@check("loader: a folder with a comma and a space in its name loads")
def _():
    folder = os.path.join(WORK, "a, b")
    shutil.copytree(FOLDER, folder)
    model = loader._load_pyfunc(folder)
    equal(ask(model, "hello"), "hello")
    # Nothing above it is allowed instead.
    [read] = [part for part in model._session.current.command if part.startswith("--allow-read=")]
    assert WORK not in read.removeprefix("--allow-read=").split(","), read
    link = read.removeprefix("--allow-read=").split(",")[0]
    equal(os.path.realpath(link), os.path.realpath(folder))
    model.close()
    assert os.path.isfile(os.path.join(folder, "MLmodel")) and not os.path.lexists(link)


@check("loader: a permission with a comma is refused, as Deno would take it apart")
def _():
    folder = changed("comma", lambda flavor: flavor.update(permissions={"read": ["/a,b"]}))
    contains(raises(loader.DenoModelError, loader._load_pyfunc, folder), "/a,b", "comma")


@check("loader: model_config at load reaches the model over what was logged, and unknown keys do not")
def _():
    equal(json.loads(ask(loaded, "config")), {"greeting": "hello", "nested": {"a": 1}})
    other = mlflow.pyfunc.load_model(FOLDER, model_config={"greeting": "bye", "unknown": 1})
    equal(json.loads(ask(other, "config")), {"greeting": "bye", "nested": {"a": 1}})
    error = raises(loader.DenoModelError, loader._load_pyfunc, FOLDER, {"greting": "bye"})
    contains(error, "greting", "greeting")


@check("loader: a folder with another version of the loader gets its own")
def _():
    folder = os.path.join(WORK, "other_version")
    shutil.copytree(FOLDER, folder)
    with open(os.path.join(folder, "code", "deno_chat_loader.py"), "a") as stream:
        stream.write("\nOTHER = True\n")
    rehash(folder, "code/deno_chat_loader.py")
    other = loader._load_pyfunc(folder)
    assert sys.modules[type(other).__module__].OTHER
    equal(ask(other, "hello"), "hello")
    equal(ask(pickle.loads(pickle.dumps(other)), "hello"), "hello")


@check("loader: DataFrames are requests of one row, without what the row lacks")
def _():
    row = {"messages": request("params")["messages"], "temperature": float("nan"), "max_tokens": 25, "stop": None}
    equal(text_of(model.predict(pandas.DataFrame([row]))), '{"max_tokens":25}')
    frame = pandas.DataFrame({"messages": [request("params")["messages"]], "top_p": pandas.array([0.5], "Float64")})
    equal(text_of(model.predict(frame)), '{"top_p":0.5}')
    equal(text_of(model.predict([request("one")])), "one")
    for many in (pandas.DataFrame([row, row]), pandas.DataFrame([row, row])[:0], [request("a"), request("b")]):
        error = raises(loader.DenoModelError, model.predict, many)
        equal(error.status, 400)
        contains(error, "exactly one")


@check("loader: numpy's and Python's values become JSON's")
def _():
    import datetime
    import decimal

    import numpy

    value = {
        "array": numpy.array([[1, 2], [3, 4]], dtype="int32"),
        "float": numpy.float32(0.5),
        "flag": numpy.bool_(True),
        "nan": [numpy.float64("nan"), float("nan"), pandas.NA, pandas.NaT],
        "day": datetime.date(2026, 1, 2),
        "time": pandas.Timestamp("2026-01-02T03:04:05"),
        "numpy time": numpy.datetime64("2026-01-02T03:04:05"),
        "bytes": b"abc",
        "decimal": decimal.Decimal("1.5"),
        "tuple": (1, {2}),
        3: "key",
    }
    equal(
        loader._plain(value),
        {
            "array": [[1, 2], [3, 4]],
            "float": 0.5,
            "flag": True,
            "nan": [None] * 4,
            "day": "2026-01-02",
            "time": "2026-01-02T03:04:05",
            "numpy time": "2026-01-02T03:04:05",
            "bytes": "YWJj",
            "decimal": 1.5,
            "tuple": [1, [2]],
            "3": "key",
        },
    )
    equal(raises(loader.DenoModelError, loader._plain, object()).status, 400)
    equal(raises(loader.DenoModelError, model.predict, request("x", temperature=float("inf"))).status, 400)


@check("loader: params of a chat model are ignored with a warning")
def _():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        equal(text_of(model.predict(request("params"), params={"max_tokens": 1})), "{}")
    contains(said[0].message, "params")


@check("loader: a model can be pickled")
def _():
    copy = pickle.loads(pickle.dumps(model))
    equal(ask(copy, "hello"), "hello")
    assert ask(copy, "pid") != ask(model, "pid")


@check("loader: the child of a fork has a process of its own, and leaves the parent's alone")
def _():
    pid = ask(model, "pid")
    stream = model.predict_stream(request("forever"))
    next(stream)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.write(writing, ask(model, "pid").encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    said = os.read(reading, 100).decode()
    os.close(reading)
    equal(os.waitpid(child, 0)[1], 0)
    assert said not in ("", pid), said
    gone(said)
    next(stream)
    stream.close()
    equal(ask(model, "pid"), pid)


@check("loader: the process ends with the parent's, although a forked child lives on")
def _():
    script = f"""
import os, sys, time
sys.path.insert(0, {os.path.join(FOLDER, "code")!r})
import deno_chat_loader
model = deno_chat_loader._load_pyfunc({FOLDER!r})
child = os.fork()
if child == 0:
    os.close(1)
    os.close(2)
    time.sleep(60)
    os._exit(0)
print(model._session.current.process.pid, child, flush=True)
os._exit(0)
"""
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    pid, child = out.stdout.split()
    try:
        gone(pid)
    finally:
        os.kill(int(child), signal.SIGKILL)


@check("loader: a dropped or closed model ends its process")
def _():
    other = loader._load_pyfunc(FOLDER)
    pid = ask(other, "pid")
    other.close()
    gone(pid)
    pid = ask(other, "pid")
    folder = other._session.current.folder
    del other
    gone(pid)
    eventually(lambda: not os.path.exists(folder))


for name, end in {
    "returns": "",
    "raises": "raise KeyError('x')",
    "exits at once": "os._exit(0)",
    "is killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "is terminated": "os.kill(os.getpid(), signal.SIGTERM)",
    "leaves a stream": "globals().update(stream=stream)",
    "leaves a thread": "threading.Thread(target=lambda: [0 for _ in model.predict_stream(q)], daemon=True).start()",
}.items():

    @check(f"loader: no process is left when Python {name}")
    def _():
        script = f"""
import os, signal, sys, threading
sys.path.insert(0, {os.path.join(FOLDER, "code")!r})
import deno_chat_loader
model = deno_chat_loader._load_pyfunc({FOLDER!r})
q = {request("forever")!r}
stream = model.predict_stream(q)
next(stream)
print(model._session.current.process.pid, flush=True)
{end}
"""
        out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        assert out.stdout.strip().isdigit(), out.stderr
        gone(out.stdout.strip())
        assert "Fatal" not in out.stderr and (end != "" or out.stderr == ""), out.stderr


model.close()
shutil.rmtree(WORK, ignore_errors=True)
done()
