"""Tasks in child processes, which send progress, logs and results back.

Whatever ends the child (a crash, the kernel for lack of memory, a time limit) becomes a
`LostError`, and the next task gets another child. A child is kept from task to task.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from dpss.compute.processes import Child, ExitStatus, ForkServer
from dpss.errors import LostError, MatrixError

if TYPE_CHECKING:
    from dpss.engine.progress import Progress

DEFAULT_TIME_LIMIT = 6 * 3600.0
"""Most seconds of a task."""
_TICK_SECONDS = 0.25
"""Seconds between the parent's checks for a stop, and between a child's reports of progress."""
_GRACE_SECONDS = 5.0
"""Time for a child to end by itself, in seconds."""

Tasks = Mapping[str, Callable[..., Any]]
"""Functions of the tasks by name; each takes its arguments and a `Progress`."""


@dataclass(frozen=True)
class _Worker:
    child: Child
    connection: Connection


class Workers:
    """Child processes that run tasks; safe in several threads, a child for each."""

    def __init__(
        self,
        open_tasks: Callable[[], AbstractContextManager[Tasks]],
        preload: Callable[[], None] = lambda: None,
        time_limit: float = DEFAULT_TIME_LIMIT,
        clean_up: Callable[[], None] = lambda: None,
    ) -> None:
        """Store the functions that make children and clean up after them.

        Args:
            open_tasks: Called in a child: returns a context with its tasks, which is left when the
                child ends by itself.
            preload: Imports the modules of the tasks.
            time_limit: Seconds after which a task's child is ended.
            clean_up: Called in this process when a child was lost.
        """
        self._server = ForkServer(lambda end: _work(end, open_tasks), preload)
        self._time_limit = time_limit
        self._clean_up = clean_up
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the server that children are forked from; returns at once.

        Raises:
            OSError: No process can be started.
        """
        self._server.start()

    def call(
        self, name: str, *arguments: Any, progress: Progress, check: Callable[[], None]
    ) -> Any:
        """Run a task in a child, and return its result.

        Args:
            name: Name of the task.
            *arguments: Arguments of the task; must be picklable.
            progress: Receives the progress.
            check: Called from time to time; raises an error if the run is to end.

        Raises:
            LostError: The child was lost.
            Exception: The error of the task.
        """
        start = time.monotonic()
        worker = self._idle_or_new()
        try:
            worker.connection.send((name, arguments, logging.getLogger("dpss").level))
            done = self._follow(worker, start, progress, check)
        except (EOFError, ConnectionError) as error:
            raise _lost_error(self._end(worker), time.monotonic() - start) from error
        except BaseException:
            self._end(worker)
            raise
        with self._lock:
            self._idle.append(worker)
        if isinstance(done, Exception):
            raise done
        return done

    def _idle_or_new(self) -> _Worker:
        """Return an idle child, a new one if there is none."""
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if not _has_ended(worker.connection):
                    return worker
                self._end(worker)
        child = self._server.fork()
        return _Worker(child, Connection(child.socket.detach()))

    def _follow(
        self, worker: _Worker, start: float, progress: Progress, check: Callable[[], None]
    ) -> Any:
        """Pass on a child's log lines and progress; return the result of its task."""
        while True:
            check()
            left = start + self._time_limit - time.monotonic()
            if left <= 0:
                end = self._end(worker)
                raise _time_limit_error(self._time_limit, end)
            if not worker.connection.poll(min(left, _TICK_SECONDS)):
                continue
            kind, *content = worker.connection.recv()
            if kind == "done":
                return content[0]
            if kind == "log":
                logging.getLogger(content[0].name).handle(content[0])
            else:
                getattr(progress, kind)(*content)

    def _end(self, worker: _Worker) -> ExitStatus:
        """Kill a child unless it has ended; return how it ended."""
        if worker.connection.closed:
            return ExitStatus(0, 0)
        worker.connection.close()
        end = self._server.kill(worker.child)
        self._clean_up()
        return end

    def close(self) -> None:
        """End all children, and the server."""
        self.renew()
        self._server.close()

    def renew(self) -> None:
        """End the idle children: the next tasks get new ones."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            with contextlib.suppress(OSError, EOFError):
                worker.connection.send(None)
                deadline = time.monotonic() + _GRACE_SECONDS
                while (left := deadline - time.monotonic()) > 0 and worker.connection.poll(left):
                    worker.connection.recv()
            self._end(worker)


def _has_ended(connection: Connection) -> bool:
    """Return whether an idle child has ended; pass on its log lines."""
    try:
        while connection.poll():
            kind, *content = connection.recv()
            if kind == "log":
                logging.getLogger(content[0].name).handle(content[0])
    except (EOFError, OSError):
        return True
    return False


def _lost_error(end: ExitStatus, seconds: float) -> LostError:
    why = "; most likely memory ran out" if end.cause == "SIGKILL" else ""
    return LostError(
        f"the process that read it was ended by {end.cause} after {seconds:.1f} s, with "
        f"{end.peak_memory_bytes / 2**20:,.0f} MiB of memory{why}",
        end.cause,
        end.peak_memory_bytes,
    )


def _time_limit_error(limit: float, end: ExitStatus) -> LostError:
    return LostError(
        f"the process that read it was ended after {limit:,.0f} s, which is --time-limit, with "
        f"{end.peak_memory_bytes / 2**20:,.0f} MiB of memory",
        "time limit",
        end.peak_memory_bytes,
    )


def _work(end: socket.socket, open_tasks: Callable[[], AbstractContextManager[Tasks]]) -> None:
    """Run tasks in a child process until the parent closes the socket."""
    connection = Connection(end.detach())
    link = _Link(connection)
    root = logging.getLogger()
    root.handlers[:] = [_ParentLogHandler(link)]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def receive() -> None:
        try:
            while True:
                requests.put(connection.recv())
        except (EOFError, OSError):
            os._exit(1)  # The parent has ended.

    threading.Thread(target=receive, daemon=True).start()
    with open_tasks() as tasks:
        while request := requests.get():
            name, arguments, level = request
            logging.getLogger("dpss").setLevel(level)
            link.send("done", _result_of(tasks[name], (*arguments, _ParentProgress(link))))


def _result_of(task: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Return the result or the error of a task, in a form that can be pickled."""
    try:
        return task(*arguments)
    except Exception as error:
        return portable(error)


def portable(error: Exception) -> Exception:
    """Return the error if it can be pickled, else an error with its description."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        text = " ".join(str(error).split())
        name = type(error).__name__
        return MatrixError(f"unexpected {name} ({text}); --debug shows where")
    return error


class _Link:
    """A connection to the parent; sends messages from any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, *message: Any) -> None:
        with self._lock:
            self._connection.send(message)


class _ParentLogHandler(logging.Handler):
    """Sends log lines to the parent, which has the streams and the format."""

    def __init__(self, link: _Link) -> None:
        super().__init__()
        self._link = link

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = record.getMessage(), None
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        with contextlib.suppress(OSError):
            self._link.send("log", record)


class _ParentProgress:
    """Sends progress to the parent, at most as often as the parent reads it."""

    def __init__(self, link: _Link) -> None:
        self._link = link
        self._lock = threading.Lock()
        self._n_values = 0
        self._sent_at = 0.0

    def begin(self, label: str, n_values: int | None) -> None:
        self._link.send("begin", label, n_values)

    def advance(self, n_values: int) -> None:
        with self._lock:
            self._n_values += n_values
            now = time.monotonic()
            if now < self._sent_at + _TICK_SECONDS:
                return
            amount, self._n_values, self._sent_at = self._n_values, 0, now
        self._link.send("advance", amount)

    def end(self) -> None:
        with self._lock:
            amount, self._n_values = self._n_values, 0
        if amount:
            self._link.send("advance", amount)
        self._link.send("end")
