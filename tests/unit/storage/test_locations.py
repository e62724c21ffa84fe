"""What an address leads to."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from dpss.errors import UnreachableError
from dpss.storage.locations import open_source


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    """A pipe, also behind a link, is no input: reading it could wait forever."""
    pipe = tmp_path / "a.h5ad"
    os.mkfifo(pipe)
    link = tmp_path / "b.h5ad"
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(UnreachableError, match="neither a regular file nor a folder"):
            open_source(str(path))


def test_devices_and_sockets_are_refused(tmp_path: Path) -> None:
    """A device and a socket are no inputs."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        for path in ("/dev/null", str(tmp_path / "s")):
            with pytest.raises(UnreachableError, match="neither a regular file nor a folder"):
                open_source(path)
