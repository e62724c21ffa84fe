"""Compiled templates, kept beside their sources as Python keeps compiled modules.

Compiling all templates takes as long as drawing a figure; a run of one small matrix
shall not pay for it each time.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from importlib import resources
from pathlib import Path

from jinja2.bccache import Bucket, BytecodeCache


class CompiledTemplates(BytecodeCache):
    """Keeps compiled templates in ``templates/__pycache__``, where that can be written.

    The name tells the versions of Python and Jinja and the template's checksum, so that
    none is ever out of date. ``PYTHONDONTWRITEBYTECODE`` is obeyed.
    """

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take a template from the folder, if it is there."""
        with contextlib.suppress(OSError, ValueError, EOFError, TypeError):
            bucket.bytecode_from_string(self._path(bucket).read_bytes())

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Put a template into the folder, whole or not at all."""
        if sys.dont_write_bytecode:
            return
        path = self._path(bucket)
        with contextlib.suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(bucket.bytecode_to_string())
            Path(name).chmod(0o644)
            Path(name).replace(path)

    def _path(self, bucket: Bucket) -> Path:
        folder = Path(str(resources.files("dpss.website").joinpath("templates")))
        tag = sys.implementation.cache_tag
        return folder / "__pycache__" / f"{bucket.key[:16]}-{bucket.checksum[:16]}.{tag}.j2c"
