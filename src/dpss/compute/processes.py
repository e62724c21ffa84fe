"""Child processes, forked by a server process that has imported their modules.

The server is forked from this process while it has one thread, and imports what its
children need. A new child costs one fork. The server is the parent of all children and reports the
exit code and the peak memory of each. All of them end with this process.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_MESSAGE_BYTES = 256

Main = Callable[[socket.socket], None]
"""Function that a child runs, given its end of a pair of sockets."""


@dataclass(frozen=True)
class ExitStatus:
    """Exit code and peak memory of a child process that has ended."""

    code: int
    """Exit code of the child; the negative number of the signal that ended it, if one did."""
    peak_memory_bytes: int
    """Largest resident memory of the child, in bytes."""

    @property
    def cause(self) -> str:
        """The signal's name or the exit code.

        >>> ExitStatus(-9, 0).cause, ExitStatus(3, 0).cause
        ('SIGKILL', 'exit code 3')
        """
        if self.code >= 0:
            return f"exit code {self.code}"
        try:
            return signal.Signals(-self.code).name
        except ValueError:
            return f"signal {-self.code}"


@dataclass(frozen=True)
class Child:
    """A child process."""

    pid: int
    socket: socket.socket
    """This process's end of the pair of sockets; end of file when the child has ended."""


def can_fork() -> bool:
    """Return whether children can be forked safely: on Linux only."""
    return sys.platform == "linux" and hasattr(os, "fork") and hasattr(os, "wait4")


class ForkServer:
    """Forks child processes; safe in several threads."""

    def __init__(self, main: Main, preload: Callable[[], None]) -> None:
        """Store the function of the children.

        Args:
            main: Function that a child runs.
            preload: Imports the modules of the children, called in the server.
        """
        self._main = main
        self._preload = preload
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._pid = 0

    def start(self) -> None:
        """Start the server unless it runs, without waiting for it.

        Raises:
            OSError: No process can be started.
        """
        with self._lock:
            self._start()

    def fork(self) -> Child:
        """Return a new child; restart the server if it was lost.

        Raises:
            OSError: No process can be started.
        """
        with self._lock:
            for attempt in (1, 2):
                ours, theirs = socket.socketpair()
                with theirs:
                    try:
                        server = self._start()
                        socket.send_fds(server, [b"fork"], [theirs.fileno()])
                        return Child(int(_receive(server)), ours)
                    except (OSError, EOFError) as error:
                        ours.close()
                        self._stop()
                        if attempt == 2:
                            raise OSError(f"no process can be started ({error})") from error
        raise AssertionError("not reached")

    def kill(self, child: Child) -> ExitStatus:
        """Kill a child, unless it has ended, and return its exit status."""
        child.socket.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
        return self.wait(child)

    def wait(self, child: Child) -> ExitStatus:
        """Wait until a child has ended; return its exit code and peak memory."""
        with self._lock:
            try:
                if self._socket is None:
                    raise EOFError
                self._socket.send(str(child.pid).encode())
                code, peak = json.loads(_receive(self._socket))
            except (OSError, EOFError):
                # The server was lost, too: how the child ended is not known.
                self._stop()
                return ExitStatus(-signal.SIGKILL, 0)
        return ExitStatus(code, peak)

    def close(self) -> None:
        """End the server."""
        with self._lock:
            self._stop()

    def _start(self) -> socket.socket:
        if self._socket is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            sys.stdout.flush()
            with warnings.catch_warnings():
                # Python 3.12 warns of threads in the parent; the server uses none of them.
                warnings.simplefilter("ignore", DeprecationWarning)
                self._pid = os.fork()
            if self._pid == 0:
                ours.close()
                _never_return(lambda: self._serve(theirs))
            theirs.close()
            self._socket = ours
        return self._socket

    def _stop(self) -> None:
        server, self._socket = self._socket, None
        if server is not None:
            server.close()
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)

    def _serve(self, requests: socket.socket) -> None:
        """Run the parent's requests until the parent has ended."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        # A failed import is raised again where a child needs the module.
        with contextlib.suppress(Exception):
            self._preload()
        gc.freeze()
        warnings.simplefilter("ignore", DeprecationWarning)
        while True:
            message, descriptors, _, _ = socket.recv_fds(requests, _MESSAGE_BYTES, 1)
            if not message:
                return
            if descriptors:
                requests.send(str(self._fork_child(requests, descriptors[0])).encode())
            else:
                _, status, usage = os.wait4(int(message), 0)
                end = (os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024)
                requests.send(json.dumps(end).encode())

    def _fork_child(self, requests: socket.socket, descriptor: int) -> int:
        pid = os.fork()
        if pid == 0:
            requests.close()
            _raise_oom_score()
            _never_return(lambda: self._main(socket.socket(fileno=descriptor)))
        os.close(descriptor)
        return pid


def _receive(server: socket.socket) -> bytes:
    message = server.recv(_MESSAGE_BYTES)
    if not message:
        raise EOFError
    return message


def _never_return(work: Callable[[], object]) -> None:
    """Run the function of a forked process, then end the process, also after an error."""
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def _raise_oom_score() -> None:
    """Make the kernel end this process first, not its parents, when memory runs out."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "utf-8")
