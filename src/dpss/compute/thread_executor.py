"""Executor on threads of this process; decoding and counting run without the GIL."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from dpss.compute.executor import A, Advance, Fold
from dpss.compute.prefetch import Prefetchable


class ThreadExecutor:
    """Runs folds in ``n_threads`` threads, each with its own accumulator."""

    is_local = True

    def __init__(self, n_threads: int) -> None:
        """Use at most ``n_threads`` threads."""
        self._n_threads = max(1, n_threads)

    def fold(self, fold: Fold[A], partitions: Sequence[range], advance: Advance) -> A:
        """Process all partitions and return one merged accumulator; raise the first error."""
        waiting = iter(range(len(partitions)))
        prefetched = 0
        lock = threading.Lock()
        stop = threading.Event()

        def work() -> A:
            nonlocal prefetched
            accumulator = fold.start()
            while not stop.is_set():
                with lock:
                    number = next(waiting, None)
                    if number is None:
                        break
                    # Prefetch this partition and as many as the threads begin next.
                    first, prefetched = prefetched, max(prefetched, number + n_threads + 1)
                if isinstance(fold, Prefetchable):
                    fold.prefetch(partitions[first:prefetched])
                fold.add(accumulator, partitions[number], advance)
            return accumulator

        n_threads = min(self._n_threads, max(1, len(partitions)))
        if n_threads == 1:
            return work()
        with ThreadPoolExecutor(n_threads, thread_name_prefix="dpss-fold") as pool:
            futures = [pool.submit(work) for _ in range(n_threads)]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                stop.set()
                raise
        merged = futures[0].result()
        for other in futures[1:]:
            merged.merge(other.result())
        return merged
