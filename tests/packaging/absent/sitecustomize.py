"""What a system lacks, taken from this Python and from those that it starts.

``DPSS_TEST_ABSENT`` is a list with commas: modules (``fcntl``), attributes of modules
(``os.fork``), folders (``/proc``), and ``platform=NAME``, which is then what `sys` says; the
libraries that are made for the real one are imported before.
"""

import importlib
import importlib.abc
import os
import sys
from types import SimpleNamespace

absent = [word for word in os.environ.get("DPSS_TEST_ABSENT", "").split(",") if word]
folders = tuple(word for word in absent if word.startswith("/"))
platforms = [word.partition("=")[2] for word in absent if "=" in word]
attributes = [word for word in absent if "." in word and not word.startswith("/")]
modules = {*absent} - {*folders, *attributes}


class NotThere(importlib.abc.MetaPathFinder):
    """Finds that a module is not there."""

    def find_spec(self, fullname, path=None, target=None):
        """Refuse a module that is absent."""
        if fullname in modules:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def refuse(event, arguments):
    """Refuse to open what lies in an absent folder."""
    if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(folders):
        raise FileNotFoundError(2, "No such file or directory", arguments[0])


if platforms:
    # Made for the system that is really there.
    for name in ("asyncio", "multiprocessing.forkserver", "multiprocessing.popen_spawn_posix",
                 "subprocess", "tempfile", "socket", "signal", "numba", "llvmlite.binding",
                 "matplotlib.figure", "click", "rich.console", "rich.progress",
                 "h5py", "obstore", "ssl", "urllib.request", "urllib3"):  # fmt: skip
        importlib.import_module(name)
for word in attributes:
    module, _, attribute = word.partition(".")
    delattr(importlib.import_module(module), attribute)
for name in modules:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, NotThere())
if folders:
    # What `/proc/cpuinfo` says of the processor names machine code: it is not compiled again.
    importlib.import_module("dpss.compute.jit_cache")._host()
    sys.addaudithook(refuse)
if platforms:
    real, sys.platform = sys.platform, platforms[0]
    # Machine code is that of the real system: all that share its processor compile a loop once.
    importlib.import_module("dpss.compute.jit_cache").sys = SimpleNamespace(platform=real)
if "win32" in platforms:
    import ctypes

    class Library(ctypes.CDLL):
        """A shared library; Windows has a C library of a name of its own."""

        def __init__(self, name, *arguments, **more):
            """Open a library, or that of this process in place of Windows's."""
            super().__init__(None if name == "msvcrt" else name, *arguments, **more)

    # Without it each loop would be compiled twice, by each process: machine code is checked
    # against the functions of the C library before it is kept.
    ctypes.CDLL = Library
