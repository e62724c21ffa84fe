"""Signals end a run where that does no harm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from dpss.job.stop import Interrupted, NeverStop, SignalStop


def test_a_signal_raises_wherever_the_main_thread_is() -> None:
    """The first signal becomes an exception that no `except Exception` swallows."""
    with SignalStop() as stop, pytest.raises(Interrupted) as caught:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(10)
        except Exception:
            pytest.fail("swallowed")
    assert caught.value.number == signal.SIGTERM
    with pytest.raises(Interrupted):
        stop.check()


def test_shielded_work_is_finished_first() -> None:
    """Half a publication would be worse than a moment's wait."""
    done = []
    with SignalStop() as stop, pytest.raises(Interrupted):
        with stop.shield():
            os.kill(os.getpid(), signal.SIGINT)
            done.append(1)
        done.append(2)
    assert done == [1]


def test_what_is_done_under_a_shield_can_be_handed_on() -> None:
    """A matrix that was published when the signal came gets into the report."""
    done = []
    with SignalStop() as stop:
        with stop.shield(later=True):
            os.kill(os.getpid(), signal.SIGINT)
        done.append(1)
        with pytest.raises(Interrupted):
            stop.check()
    assert done == [1]


def test_a_shield_after_the_signal_does_not_raise_again() -> None:
    """The report of an interrupted run gets written."""
    with SignalStop() as stop:
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(10)
        with stop.shield():
            pass


def test_other_threads_hear_of_it_when_they_ask() -> None:
    """A worker's next look ends it."""
    heard = []

    def work() -> None:
        while True:
            try:
                stop.check()
            except Interrupted as interruption:
                heard.append(interruption.number)
                return

    with SignalStop() as stop:
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGINT)
            worker.join(10)
        worker.join(300)
    assert heard == [signal.SIGINT]


def test_signals_are_given_back() -> None:
    """Afterwards they do what they did before."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with SignalStop():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_the_second_signal_ends_the_process_at_once() -> None:
    """Whoever asks twice does not want to wait, whatever is being done."""
    code = (
        "import os, signal, time\n"
        "from dpss.job.stop import SignalStop\n"
        "with SignalStop() as stop, stop.shield():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(600)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=300)
    assert done.returncode == -signal.SIGTERM


def test_nobody_asks_in_a_notebook() -> None:
    """Without signals of ours nothing is ever interrupted."""
    stop = NeverStop()
    stop.check()
    with stop.shield():
        stop.check()
