"""Lets MLflow's Python run a model that was written for Deno.

MLflow imports this file from the model's folder and calls ``_load_pyfunc``. It starts ``deno`` once, with the
permissions recorded in ``MLmodel``, and speaks to it in lines of JSON over stdin and stdout. Calls of several threads
run at once in that one process.

Environment variables:

- ``CHATMODEL_DENO``: the ``deno`` to run, a path or a command such as ``npx -y deno``. Default: ``deno`` on the PATH,
  then the one that saved the model, then ``npx -y deno``.
- ``CHATMODEL_DENO_CONFIG``: a ``deno.json`` to run the model with, for a checkout of @chatmodel/chat-model.
- ``CHATMODEL_START_TIMEOUT``: seconds that starting and loading may take. Default: 60. The first start on a machine
  downloads the model's packages.
- ``CHATMODEL_TIMEOUT``: seconds that an answer, or the next piece of a stream, may take. Default: 600. 0: no limit.

What the model writes to its console goes to the logger ``chatmodel.deno`` (level INFO) and, where its process fails,
into the error.
"""

import base64
import collections
import datetime
import decimal
import hashlib
import importlib.util
import itertools
import json
import logging
import os
import queue
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
import weakref

try:
    from mlflow.exceptions import MlflowException as _BaseError
except ImportError:  # The loader works without MLflow, too.
    _BaseError = RuntimeError

_PROTOCOL = 1
# Precedes each line of the worker, so that what a model writes past the console is told from it.
_MARK = b"\x1e"
# Pieces of a stream that may be under way before the reader has taken any; more are asked for in halves of it.
_CREDIT = 32
_STOP_SECONDS = 3.0
_CANCEL_SECONDS = 5.0
_PERMISSIONS = ("net", "env", "read", "write", "run", "sys", "ffi")

_logger = logging.getLogger("chatmodel.deno")


class DenoModelError(_BaseError):
    """A model failed, refused its input, or cannot be run. Under MLflow it is an ``MlflowException``.

    ``code`` says what went wrong, ``status`` is the HTTP status that fits, ``type`` OpenAI's class of error, ``param``
    the dotted path of the field at fault.
    """

    def __init__(self, message, code=None, status=500, type=None, param=None):
        if _BaseError is RuntimeError:
            super().__init__(message)
        else:
            super().__init__(message, error_code=_mlflow_code(status))
        self.code, self.status, self.type, self.param = code, status, type, param

    def __reduce__(self):
        return (self.__class__, (str(self), self.code, self.status, self.type, self.param))


def _mlflow_code(status):
    from mlflow.protos.databricks_pb2 import ErrorCode

    names = {
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "RESOURCE_DOES_NOT_EXIST",
        409: "RESOURCE_CONFLICT",
        429: "REQUEST_LIMIT_EXCEEDED",
        499: "CANCELLED",
        501: "NOT_IMPLEMENTED",
        503: "TEMPORARILY_UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    }
    default = "INVALID_PARAMETER_VALUE" if 400 <= status < 500 else "INTERNAL_ERROR"
    return ErrorCode.Value(names.get(status, default))


def _load_pyfunc(path, model_config=None):
    """Called by MLflow: the model of a folder, its process started and the model loaded in it."""
    path = os.path.abspath(path)
    # Python has one module of this name, and two models may bring loaders of different versions.
    other = _other_loader(path)
    if other is not None:
        return other._load_pyfunc(path, model_config)
    return DenoModel(path, model_config)


def _other_loader(path):
    file = os.path.join(path, "code", "deno_chat_loader.py")
    try:
        with open(file, "rb") as stream:
            theirs = stream.read()
        with open(__file__, "rb") as stream:
            if stream.read() == theirs:
                return None
    except OSError:
        return None
    name = "deno_chat_loader_" + hashlib.sha256(theirs).hexdigest()[:16]
    if name == __name__:
        return None
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


class DenoModel:
    """A model in a process of Deno. Made by ``_load_pyfunc``; safe to call from several threads."""

    def __init__(self, path, model_config=None):
        self._path = path
        self._model_config = model_config
        self._open()

    def _open(self):
        self._session = _Session(self._path, self._model_config)
        # Runs on garbage collection and at the interpreter's exit. It must not hold the model itself.
        self._finalizer = weakref.finalize(self, self._session.stop)
        self._session.worker()

    def predict(self, model_input, params=None):
        """The answer to one request: a dict, or a DataFrame of one row."""
        call = self._session.begin(self._message("predict", model_input, params))
        try:
            return call.wait()["output"]
        finally:
            call.close()

    def predict_stream(self, model_input, params=None):
        """The answer to one request in pieces, as a generator. Closing or dropping it stops the model."""
        if not self._session.worker().streamable:
            raise DenoModelError("Cannot stream: the model answers in one piece only. Use predict", status=400)
        return self._stream({**self._message("predict_stream", model_input, params), "credit": _CREDIT})

    def _stream(self, message):
        call = self._session.begin(message)
        taken = 0
        try:
            while True:
                reply = call.wait()
                if reply["type"] == "end":
                    return
                yield reply["output"]
                taken += 1
                if taken % (_CREDIT // 2) == 0:
                    call.more(_CREDIT // 2)
        finally:
            call.close()

    def close(self):
        """Ends the process. A later call starts it anew."""
        self._session.stop()

    def _message(self, type, model_input, params):
        chat = self._session.worker().kind == "chat"
        message = {"type": type, "input": _request_of(model_input, chat)}
        if params:
            if chat:
                warnings.warn("'params' is ignored: parameters of a chat model belong into the request", stacklevel=3)
            else:
                message["params"] = _plain(params)
        return message

    def __getstate__(self):
        return {"path": self._path, "model_config": self._model_config}

    def __setstate__(self, state):
        self.__init__(state["path"], state["model_config"])


# --- Sessions: one process after the other ---------------------------------------------------------------------------

_sessions = weakref.WeakSet()


class _Session:
    """Sees to it that there is a process: starts one, and another when it has died."""

    def __init__(self, path, model_config):
        self.path = path
        self.model_config = model_config
        self.conf = _read_flavors(path)
        self.current = None
        self.lock = threading.Lock()
        self.ids = itertools.count(1)
        self.failures = 0
        self.started_at = 0.0
        _sessions.add(self)

    def worker(self):
        worker = self.current
        if worker is not None and worker.alive():
            return worker
        with self.lock:
            worker = self.current
            if worker is not None and worker.alive():
                return worker
            if worker is not None:
                worker.stop()
                self.current = None
            if self.failures > 0:
                # A model that dies at each call is not started faster than this.
                pause = min(8.0, 0.25 * 2 ** (self.failures - 1))
                time.sleep(max(0.0, self.started_at + pause - time.monotonic()))
            self.started_at = time.monotonic()
            self.failures += 1
            self.current = _Worker(self)
            return self.current

    def begin(self, message):
        return _Call(self, self.worker(), {**message, "id": next(self.ids)})

    def overrides(self):
        """What was given at load: MLflow adds the logged configuration to it, which the worker reads by itself."""
        logged = (self.conf.get("python_function") or {}).get("config")
        logged = logged if isinstance(logged, dict) else {}
        given = self.model_config if isinstance(self.model_config, dict) else {}
        return {key: value for key, value in given.items() if key not in logged or logged[key] != value}

    def stop(self):
        worker, self.current = self.current, None
        if worker is not None:
            self.failures = 0
            worker.stop()

    def forget(self):
        """In the child of a fork: the process belongs to the parent, and its threads are not here."""
        self.lock = threading.Lock()
        worker, self.current = self.current, None
        if worker is not None:
            worker.forget()


def _after_fork():
    for session in list(_sessions):
        session.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Call:
    """One call under way. Whoever began it must close it."""

    def __init__(self, session, worker, message):
        self.session = session
        self.worker = worker
        self.id = message["id"]
        self.replies = queue.SimpleQueue()
        self.ended = False
        self.timeout = _seconds("CHATMODEL_TIMEOUT", 600)
        # Refused before anything is registered where it is no JSON.
        line = _line(message)
        worker.calls[self.id] = self.replies
        # The process may have died since; whoever noticed has not seen this call.
        if worker.death is not None:
            self.replies.put(_DEAD)
        worker.send(line)

    def wait(self):
        """The next reply, or the error that it tells of."""
        try:
            reply = self.replies.get(timeout=self.timeout)
        except queue.Empty:
            raise self._late() from None
        if reply is _DEAD:
            self.ended = True
            raise self.worker.death_error()
        self.session.failures = 0
        if reply["type"] == "error":
            self.ended = True
            raise _error_of(reply["error"])
        if reply["type"] in ("result", "end"):
            self.ended = True
        return reply

    def more(self, count):
        self.worker.send(_line({"type": "more", "id": self.id, "count": count}))

    def close(self):
        if not self.ended:
            self.ended = True
            self.worker.send(_line({"type": "cancel", "id": self.id}))
        self.worker.calls.pop(self.id, None)

    def _late(self):
        message = (
            f"Cannot answer: the model gave nothing for {self.timeout:g} s. "
            "Set CHATMODEL_TIMEOUT to more seconds, or to 0 for no limit"
        )
        self.worker.send(_line({"type": "cancel", "id": self.id}))
        # Whoever can still be cancelled says so at once. Else the process runs in circles: no call of it will end.
        until = time.monotonic() + _CANCEL_SECONDS
        while not self.ended:
            try:
                reply = self.replies.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                self.worker.kill("it did not react to being cancelled")
                break
            self.ended = reply is _DEAD or reply["type"] != "item"
        self.ended = True
        return DenoModelError(message, code="timeout", status=504, type="server_error")


# --- One process -----------------------------------------------------------------------------------------------------

_DEAD = object()


class _Worker:
    """A process of Deno with its threads: one writes, one reads, one collects what it says on stderr."""

    def __init__(self, session):
        self.calls = {}
        self.death = None
        self.verdict = None
        self.said = collections.deque(maxlen=200)
        self.outbox = queue.SimpleQueue()
        self.hello = queue.SimpleQueue()
        self.stopping = False
        # A copy, as Deno adds to a lock file what is missing in it.
        self.folder = tempfile.mkdtemp(prefix="chatmodel-")
        try:
            self.command = _command(session, self.folder)
            self.process = _spawn(self.command)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.threads = [
            threading.Thread(target=target, name=f"chatmodel-{self.process.pid}-{name}", daemon=True)
            for name, target in (("write", self._write), ("read", self._read), ("log", self._log))
        ]
        # The reader last but one: at the end of a process that fails at once it waits for what collects its stderr.
        for thread in reversed(self.threads):
            thread.start()
        try:
            self._greet(session)
        except BaseException:
            self.stop()
            raise

    def _greet(self, session):
        load = {"type": "load", "protocol": _PROTOCOL}
        overrides = session.overrides()
        if overrides:
            load["model_config"] = _plain(overrides)
        self.send(_line(load))
        timeout = _seconds("CHATMODEL_START_TIMEOUT", 60)
        try:
            reply = self.hello.get(timeout=timeout)
        except queue.Empty:
            self.kill()
            raise DenoModelError(
                f'Cannot load model "{session.path}": it was not ready within {timeout:g} s. Set '
                f"CHATMODEL_START_TIMEOUT to more seconds. Started as: {shlex.join(self.command)}{self._tail()}",
                code="timeout",
                status=504,
            ) from None
        if reply is _DEAD:
            raise DenoModelError(
                f'Cannot load model "{session.path}": deno ended with {self.death} while it started. '
                f"Started as: {shlex.join(self.command)}{self._tail()}",
                code="start_failed",
            )
        if reply["type"] == "error":
            error = _error_of(reply["error"])
            raise DenoModelError(f"{error}{self._tail()}", error.code, error.status, error.type, error.param)
        if reply["protocol"] != _PROTOCOL:
            raise DenoModelError(
                f'Cannot load model "{session.path}": its loader speaks version {_PROTOCOL} of the protocol, and '
                f"@chatmodel/chat-model {reply.get('version')} version {reply['protocol']}. Log the model anew",
                code="start_failed",
            )
        self.kind = reply["kind"]
        self.streamable = reply["streamable"]

    def alive(self):
        # What was killed is as good as dead, also while another thread waits for it, when poll() knows of nothing.
        return self.death is None and self.verdict is None and not self.stopping and self.process.poll() is None

    def send(self, line):
        # This queue may be written to even by a finalizer that interrupts another writer.
        self.outbox.put(line)

    def _write(self):
        try:
            while True:
                line = self.outbox.get()
                if line is None:
                    break
                view = memoryview(line)
                while view:
                    view = view[self.process.stdin.write(view) :]
        except (OSError, ValueError):
            pass  # It has died: the reading thread tells everybody.
        finally:
            self.process.stdin.close()

    def _read(self):
        rest = []
        try:
            while True:
                block = os.read(self.process.stdout.fileno(), 1 << 16)
                if not block:
                    break
                *lines, last = block.split(b"\n")
                for line in lines:
                    self._take(b"".join([*rest, line]))
                    rest = []
                rest.append(last)
        finally:
            self._bury()

    def _take(self, line):
        noise, mark, text = line.rpartition(_MARK)
        if mark == b"":
            noise = line
        if noise.strip():
            self._hear(noise)
        if mark == b"":
            return
        try:
            reply = json.loads(text)
        except ValueError:
            self._hear(text)
            return
        if "id" not in reply:
            self.hello.put(reply)
            return
        replies = self.calls.get(reply["id"])
        if replies is not None:  # Else it was cancelled.
            replies.put(reply)

    def _log(self):
        rest = b""
        while True:
            block = os.read(self.process.stderr.fileno(), 1 << 16)
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                self._hear(line)
            if len(rest) > 1 << 16 or not block:
                if rest:
                    self._hear(rest)
                rest = b""
            if not block:
                return

    def _hear(self, line):
        text = line.decode("utf-8", "replace").rstrip()
        self.said.append(text[:2000])
        _logger.info("%s", text)

    def _bury(self):
        """The end of stdout is the end of the process, or nearly so."""
        try:
            code = self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill("it closed its stdout")
            code = self.process.wait()
        self.threads[2].join(1.0)
        self.death = f"signal {-code}" if code < 0 else f"exit code {code}"
        self.send(None)
        self.hello.put(_DEAD)
        for replies in list(self.calls.values()):
            replies.put(_DEAD)
        self.process.stdout.close()
        if not self.threads[2].is_alive():
            self.process.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def death_error(self):
        if self.stopping:
            return DenoModelError("Cannot answer: the model was closed", code="closed", status=503)
        reason = f"{self.death}, as {self.verdict}" if self.verdict else self.death
        return DenoModelError(
            f"Cannot answer: the process of the model ended with {reason}. The next call starts it anew{self._tail()}",
            code="process_died",
        )

    def _tail(self):
        lines = [line for line in list(self.said) if line][-20:]
        return "" if not lines else ". It said:\n" + "\n".join(lines)

    def kill(self, verdict=None):
        if verdict is not None:
            self.verdict = verdict
        try:
            if hasattr(os, "killpg"):
                # Also what started it: npx.
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        except OSError:
            pass  # It has ended.

    def stop(self):
        """Ends the process: politely, by the end of its stdin, then by force."""
        if self.stopping:
            return
        self.stopping = True
        self.send(None)
        if threading.current_thread() in self.threads:
            return  # A garbage collection in a thread that is needed for the end. The end of stdin suffices.
        reader = self.threads[1]
        reader.join(_STOP_SECONDS)
        if reader.is_alive():
            self.kill()
            reader.join(_STOP_SECONDS)

    def forget(self):
        self.stopping = True
        self.death = "fork"
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()
        self.process.returncode = 0  # It is no child of this process; there is nothing to wait for.


def _spawn(command):
    environment = {**os.environ, "NO_COLOR": "1", "DENO_NO_PACKAGE_JSON": "1", "DENO_NO_UPDATE_CHECK": "1"}
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # Without buffers there is nothing that a fork could copy or a lock could hold.
            env=environment,
            start_new_session=True,  # Ctrl-C is for Python to handle.
        )
    except OSError as error:
        raise DenoModelError(
            f"Cannot start deno as {shlex.join(command[:3])}: {error}. Set CHATMODEL_DENO to the path of deno",
            code="deno_not_found",
        ) from error


# --- How deno is started ---------------------------------------------------------------------------------------------


def _read_flavors(path):
    import yaml  # Comes with MLflow.

    with open(os.path.join(path, "MLmodel"), encoding="utf-8") as stream:
        return (yaml.safe_load(stream) or {}).get("flavors") or {}


def _command(session, folder):
    conf = session.conf.get("deno_function") or {}
    path = _without_comma(session.path, folder)
    worker = os.path.join(path, "code", "deno_chat_worker.ts")
    if not os.path.isfile(worker):
        raise DenoModelError(f'Cannot load model "{session.path}": "{worker}" is missing. Log the model anew')
    command = [*_find_deno(conf), "run", "--quiet", "--no-prompt"]
    permissions = dict(conf.get("permissions") or {})
    readable = [path]
    config = _find_config(conf)
    if config is not None:
        # The lock file of a checkout is not this model's.
        command += ["--config", config, "--no-lock"]
        readable.append(os.path.dirname(config))
    else:
        command.append("--no-config")
        lock = os.path.join(session.path, "deno.lock")
        copy = os.path.join(folder, "deno.lock")
        if os.path.isfile(lock):
            shutil.copyfile(lock, copy)
            command.append(f"--lock={copy}")
        else:
            command.append("--no-lock")
    read = permissions.get("read")
    permissions["read"] = True if read is True else [*readable, *(read or [])]
    unknown = sorted(set(permissions) - set(_PERMISSIONS))
    if unknown:
        raise DenoModelError(f'Cannot load model "{session.path}": MLmodel asks for unknown permissions {unknown}')
    for name, value in permissions.items():
        if value is True:
            command.append(f"--allow-{name}")
        elif value:
            command.append(f"--allow-{name}=" + ",".join(_permitted(name, item) for item in value))
    return [*command, worker, path]


def _without_comma(path, folder):
    """The path, or a link to it: Deno's lists of paths are separated by commas, and know no way to write one."""
    if "," not in path:
        return path
    link = os.path.join(folder, "model")
    os.symlink(path, link, target_is_directory=True)
    return link


def _permitted(name, item):
    if "," in str(item):
        # Taken apart at the comma, it would allow something else.
        raise DenoModelError(
            f"Cannot start deno: the permission '{name}' for \"{item}\" has a comma in it, which Deno cannot be told. "
            "Move what it names to a path without one"
        )
    return str(item)


def _find_config(conf):
    given = os.environ.get("CHATMODEL_DENO_CONFIG")
    if given:
        if not os.path.isfile(given):
            raise DenoModelError(
                f'Cannot start deno: CHATMODEL_DENO_CONFIG names "{given}", and there is no such file',
                code="invalid_environment",
            )
        return os.path.abspath(given)
    recorded = conf.get("config")
    return recorded if isinstance(recorded, str) and os.path.isfile(recorded) else None


def _find_deno(conf):
    given = os.environ.get("CHATMODEL_DENO")
    if given:
        command = [given] if os.path.isfile(given) else shlex.split(given)
        if not command or shutil.which(command[0]) is None:
            raise DenoModelError(
                f'Cannot start deno: CHATMODEL_DENO names "{given}", and there is no such program',
                code="deno_not_found",
            )
        return command
    found = shutil.which("deno")
    if found is not None:
        return [found]
    recorded = conf.get("deno")
    if isinstance(recorded, str) and os.path.isfile(recorded) and os.access(recorded, os.X_OK):
        return [recorded]
    npx = shutil.which("npx")
    if npx is not None:
        return [npx, "-y", "deno"]
    tried = ['"deno" on the PATH', *([f'"{recorded}", which saved the model'] if recorded else []), '"npx" on the PATH']
    raise DenoModelError(
        f"Cannot start deno: none was found. Tried {', '.join(tried)}. Install Deno (https://deno.com), or set "
        "CHATMODEL_DENO to its path",
        code="deno_not_found",
    )


def _seconds(variable, default):
    """A limit from the environment; None for no limit."""
    text = os.environ.get(variable) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise DenoModelError(
            f'Cannot read the variable {variable}: it must be a number of seconds, but is "{text}"',
            code="invalid_environment",
        )
    # Longer than any thread can wait.
    return min(seconds, threading.TIMEOUT_MAX) or None


# --- Values ----------------------------------------------------------------------------------------------------------


def _request_of(model_input, chat):
    """One request in plain values, of what MLflow hands on: a DataFrame, where the model has a signature."""
    if hasattr(model_input, "to_dict") and hasattr(model_input, "columns"):
        columns = list(model_input.columns)
        rows = [
            # Columns of numbers have no other sign for what a row lacks.
            {str(key): plain for key, value in row.items() if not ((plain := _plain(value)) is None and _is_nan(value))}
            for row in model_input.to_dict(orient="records")
        ]
        if columns == [0]:
            rows = [row.get("0") for row in rows]
    elif chat and isinstance(model_input, (list, tuple)):
        rows = [_plain(item) for item in model_input]
    else:
        return _plain(model_input)
    if len(rows) == 1:
        return rows[0]
    if chat:
        raise DenoModelError(
            f"Cannot answer {len(rows)} requests at once: give exactly one",
            code="invalid_value",
            status=400,
            type="invalid_request_error",
        )
    return rows


def _is_nan(value):
    return isinstance(value, float) and value != value


def _plain(value):
    """JSON's values instead of numpy's, pandas' and Python's own; what is no number (NaN, NaT, NA) as null."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return None if value != value else float(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return _plain(float(value))
    for method in ("tolist", "to_list", "item", "to_dict", "model_dump", "isoformat"):
        convert = getattr(value, method, None)
        if callable(convert):
            plain = convert()
            # numpy hands some of its own values back as they are.
            return str(plain) if type(plain) is type(value) else _plain(plain)
    raise DenoModelError(
        f"Cannot hand the request on: it has a value of type {type(value).__name__}, which JSON cannot express",
        code="invalid_value",
        status=400,
        type="invalid_request_error",
    )


def _line(message):
    try:
        return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"
    except ValueError as error:
        raise DenoModelError(
            f"Cannot hand the request on: {error}",
            code="invalid_value",
            status=400,
            type="invalid_request_error",
        ) from error


def _error_of(error):
    return DenoModelError(
        error["message"], error.get("code"), error.get("status", 500), error.get("type"), error.get("param")
    )
