"""Execution of steps in turn, or several side by side."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from contextvars import copy_context

from dpss.compute.background import begin
from dpss.job.plan.steps import Step
from dpss.job.report.outcomes import Outcome
from dpss.job.stop import Interrupted, Stop

DoStep = Callable[[Step], list[Outcome]]

GRACE_SECONDS = 10.0
"""Time to finish publishing after a signal, in seconds."""


def do_in_turn(
    do: DoStep, steps: Sequence[Step], stop: Stop, n_workers: int = 1
) -> Iterator[Outcome]:
    """Do steps one after the other, and yield each one's outcomes.

    Raises:
        Interrupted: A signal has come.
    """
    for step in steps:
        stop.check()
        yield from do(step)


def do_side_by_side(
    do: DoStep, steps: Sequence[Step], stop: Stop, n_workers: int
) -> Iterator[Outcome]:
    """Do steps in several threads, in their order, and yield outcomes as they come.

    Raises:
        Interrupted: A signal has come. What was finished by then is yielded before.
    """
    waiting = iter(steps)
    lock = threading.Lock()
    done: queue.SimpleQueue[list[Outcome] | BaseException | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            while True:
                stop.check()
                with lock:
                    step = next(waiting, None)
                if step is None:
                    break
                done.put(do(step))
        except BaseException as error:
            done.put(error)
        finally:
            done.put(None)

    workers = [begin(copy_context().run, work) for _ in range(n_workers)]
    n_working = n_workers
    try:
        while n_working:
            found = done.get()
            if found is None:
                n_working -= 1
            elif isinstance(found, BaseException):
                raise found
            else:
                yield from found
    except Interrupted:
        wait(workers, GRACE_SECONDS)
        while not done.empty():
            found = done.get()
            if isinstance(found, list):
                yield from found
        raise
