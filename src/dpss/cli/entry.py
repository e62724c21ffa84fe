"""The run of a command: its exit code, and one message for any error."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import shutil
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from dpss.cli.logs import clean
from dpss.cli.runner import print_error
from dpss.compute.machine import return_memory_at_once
from dpss.errors import DpssError, MatrixError
from dpss.job.stop import Interrupted, SignalStop

FAILED, NOT_STARTED, BROKEN_PIPE = 1, 2, 141
"""Exit codes: see ``docs/reference/exit-codes.md``."""

_NEW_OBJECTS = 50_000
"""New objects between two searches for cycles: imports make many that stay, and hardly a cycle."""

CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""Settings of click that all commands share."""


def execute(command: click.Command, name: str, arguments: Sequence[str] | None) -> int:
    """Run a command and return its exit code; an error becomes one message."""
    try:
        with SignalStop() as stop:
            return_memory_at_once()
            gc.set_threshold(_NEW_OBJECTS)
            given = sys.argv[1:] if arguments is None else list(arguments)
            # Not click's `main`: its exit code for a broken pipe is 1, which here means a failed
            # matrix.
            with command.make_context(name, given, obj=stop, **CONTEXT) as context:
                code = command.invoke(context)
            sys.stdout.flush()
            return int(code or 0)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.message, err=True)
        return NOT_STARTED
    except click.ClickException as error:
        where = (
            error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else name
        )
        print_error(f"{error.format_message().rstrip('.')}; see `{where} --help`")
        return NOT_STARTED
    except Interrupted as interruption:
        return 128 + interruption.number
    except BrokenPipeError:
        # The reader of the output has ended; the rest of the buffer is discarded.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except DpssError as error:
        explain(error, str(error))
        return FAILED if isinstance(error, MatrixError) else NOT_STARTED
    except Exception as error:
        explain(error, f"unexpected {type(error).__name__}: {error}; --debug shows where")
        return FAILED


def leave(code: int) -> NoReturn:
    """End the process without Python's clean-up, which frees every object: 0.03 s and more."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def as_in_2019(arguments: Sequence[str]) -> list[str]:
    """Convert ``--blacklist VALUE``, a form of 2019, to the flag or to nothing.

    >>> as_in_2019(["--blacklist", "true", "--environ", "dev"])
    ['--blacklist', '--environ', 'dev']
    >>> as_in_2019(["--blacklist", "false"])
    []
    """
    found: list[str] = []
    for argument in arguments:
        if found[-1:] == ["--blacklist"] and argument.lower() in ("true", "false"):
            if argument.lower() == "false":
                found.pop()
        else:
            found.append(argument)
    return found


def explain(error: BaseException, message: str) -> None:
    """Print an error; at log level DEBUG with its traceback."""
    if logging.getLogger("dpss").isEnabledFor(logging.DEBUG):
        click.echo(clean("".join(traceback.format_exception(error))), err=True)
    print_error(message)


def program() -> str:
    """Return what to type for ``dpss``: it may not be on the path after `make demo`."""
    if shutil.which("dpss"):
        return "dpss"
    return f"{sys.executable} -m dpss" if sys.argv[0].endswith("__main__.py") else sys.argv[0]
