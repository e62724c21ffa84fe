"""One case at a time, in a process of its own: within limits, and watched."""

from __future__ import annotations

import os
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from dpss.errors import DpssError, ReaderFaultError
from dpss.formats.discovery import OpenFailure, iter_matrices
from tests.summarise import source_of, summarise_matrix

SECONDS, WAITED_SECONDS = 30, 300
"""Of a processor's time, and of time in all, which passes faster on a busy machine."""
MEMORY_BYTES = 2 << 30
"""Beyond what the process has when it begins."""
_FORBIDDEN = ("pickle.find_class", "os.system", "subprocess.Popen", "socket.connect", "exec")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def attempt(path: Path) -> str:
    """Summarise every matrix of a file.

    Returns:
        What the program says if it refuses; empty if all went well.
    """
    said = ""
    try:
        for matrix in iter_matrices(source_of(path)):
            if isinstance(matrix, OpenFailure):
                if not isinstance(matrix.error, DpssError):
                    raise matrix.error
                said = check_message(matrix.error)
                continue
            try:
                summarise_matrix(matrix)
            except DpssError as error:
                said = check_message(error)
    except DpssError as error:
        said = check_message(error)
    return said


def check_message(error: DpssError) -> str:
    """Return an error's message, which must be one line.

    Damage that a reader does not know by itself is a finding: its cause is raised.
    """
    if isinstance(error, ReaderFaultError):
        raise error.__cause__ or error
    message = str(error)
    assert message
    assert "\n" not in message, f"a message of several lines: {message!r}"
    return message


def try_apart(path: Path, scratch: Path) -> str:
    """Try a case in a child process.

    Returns:
        What went wrong; empty for a summary or one of the program's own errors.
    """
    report = scratch / "report"
    report.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        _be_child(path, scratch, report)
    _, status = os.waitpid(child, 0)
    if report.exists():
        return report.read_text()
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name
        too_long = {signal.SIGPROF: SECONDS, signal.SIGALRM: WAITED_SECONDS}.get(number)
        return f"longer than {too_long} s" if too_long else f"died by {name}"
    return "" if os.WEXITSTATUS(status) == 0 else f"exit code {os.WEXITSTATUS(status)}"


def _be_child(path: Path, scratch: Path, report: Path) -> None:
    """Try a case and end the process."""
    status = 0
    try:
        limit()
        _watch(scratch)
        attempt(path)
    except BaseException as error:
        status = 3
        report.write_text(describe(error))
    finally:
        os._exit(status)


def describe(error: BaseException) -> str:
    """Return what kind of error came from where; the same for cases that are alike."""
    ours = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if f"{os.sep}dpss{os.sep}" in frame.filename
    ]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "nowhere of ours"
    return f"{type(error).__name__} at {place}: {' '.join(str(error).split())[:120]}"


def limit() -> None:
    """Bound this process: its memory, beyond what it has, and its seconds."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(WAITED_SECONDS)


def _watch(scratch: Path) -> None:
    """Raise where a file's content would be run, or something be written elsewhere."""
    allowed = (str(scratch), "/dev/")

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _FORBIDDEN and not _is_ours(event, arguments):
            raise AssertionError(f"{event} {arguments!r:.80}")
        if event == "open" and isinstance(arguments[0], str) and arguments[2] & _WRITING:
            where = arguments[0]
            if not where.startswith(allowed) and "__pycache__" not in where:
                raise AssertionError(f"writes to {where}")

    sys.addaudithook(look)


def _is_ours(event: str, arguments: tuple[Any, ...]) -> bool:
    """Return whether code is run, or a class loaded, of an imported module."""
    if event == "pickle.find_class":
        return _within_numba()
    name = str(getattr(arguments[0], "co_filename", ""))
    return event == "exec" and (name.startswith("<") or Path(name).exists())


def _within_numba() -> bool:
    """Return whether numba is at work, which keeps what it has compiled in pickles of its own."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if f"{os.sep}numba{os.sep}" in frame.f_code.co_filename:
            return True
    return False
