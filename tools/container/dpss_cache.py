"""Where numba finds its kernels in the image: on the scratch volume, laid there from the image.

numba takes no cache that it cannot write to, and the image's file system is read-only. So the
compiled kernels, a few megabytes, are copied to the scratch volume when numba is first asked for
one; what the image does not have (an unusual type of values) is compiled once and kept there.
"""

import os
import shutil
import tempfile
from pathlib import Path

from numba.core import config
from numba.core.caching import UserProvidedCacheLocator


class SeededLocator(UserProvidedCacheLocator):
    """numba's own locator for NUMBA_CACHE_DIR, over a copy of the image's kernels."""

    @classmethod
    def from_function(cls, py_func, py_file):
        """Return a locator; the first call copies the kernels."""
        cache, seeds = Path(config.CACHE_DIR), Path(os.environ["DPSS_KERNELS"])
        if seeds.is_dir() and not cache.exists():
            cache.parent.mkdir(parents=True, exist_ok=True)
            # Whole or not at all: another process on the same volume may do the same.
            copy = Path(tempfile.mkdtemp(prefix=".numba-", dir=cache.parent))
            shutil.copytree(seeds, copy, dirs_exist_ok=True)
            try:
                copy.rename(cache)
            except OSError:
                shutil.rmtree(copy, ignore_errors=True)
        return super().from_function(py_func, py_file)
