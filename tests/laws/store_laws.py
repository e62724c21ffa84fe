"""What every store promises; a test class inherits this and says how to make one."""

from __future__ import annotations

import pickle
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dpss.storage.base import Store


class StoreLaws:
    """Inherit, and define a fixture `store` that gives an empty one."""

    def test_what_was_written_is_read(self, store: Store) -> None:
        """Bytes come back as they went in, the empty ones too."""
        for data in (b"", b"x", bytes(range(256)) * 1000):
            store.write("p/m/summary.json", data)
            assert store.read("p/m/summary.json") == data

    @pytest.mark.parametrize("size", [0, 1, 17 << 20])
    def test_a_file_becomes_the_content(self, store: Store, size: int, tmp_path: Path) -> None:
        """Of any size, also one that is sent in parts; it is known as written here."""
        data = bytes(range(256)) * (size // 256) + bytes(size % 256)
        (tmp_path / "large").write_bytes(data)
        store.write("p/m/cells.csv.gz", b"an earlier one")
        store.write_file("p/m/cells.csv.gz", tmp_path / "large")
        assert store.sizes("p/") == {"p/m/cells.csv.gz": size}
        assert store.read("p/m/cells.csv.gz") == data
        assert store.changed_keys(["p/m/cells.csv.gz"]) == []

    def test_what_is_not_there_is_said(self, store: Store) -> None:
        """Reading what is missing raises FileNotFoundError; asking for its time gives None."""
        with pytest.raises(FileNotFoundError):
            store.read("no/such.json")
        assert store.modified("no/such.json") is None

    def test_keys_are_listed_in_order(self, store: Store) -> None:
        """All keys that begin with the prefix come, sorted, wherever the prefix ends."""
        keys = ["a/b/c.png", "a/b.csv", "a/bc/d.svg", "b.json", "é/ü ü+%.json"]
        for key in keys:
            store.write(key, b"1")
        assert list(store.keys()) == sorted(keys)
        assert list(store.keys("a/b")) == ["a/b.csv", "a/b/c.png", "a/bc/d.svg"]
        assert list(store.keys("a/b/")) == ["a/b/c.png"]
        assert list(store.keys("é/")) == ["é/ü ü+%.json"]
        assert list(store.keys("none/")) == []
        assert store.read("é/ü ü+%.json") == b"1"

    def test_sizes_are_listed(self, store: Store) -> None:
        """The size of each file is known from the listing, whatever it was before."""
        for key, data in (("a/b.csv", b"123"), ("a/b.csv", b"1234"), ("a/c", b""), ("d", b"1")):
            store.write(key, data)
        assert store.sizes() == {"a/b.csv": 4, "a/c": 0, "d": 1}
        assert store.sizes("a/b") == {"a/b.csv": 4}
        assert list(store.sizes()) == list(store.keys())

    def test_deleting_is_forgiving(self, store: Store) -> None:
        """What is deleted is gone; deleting it again is no error."""
        store.write("a/b.json", b"1")
        store.delete("a/b.json")
        store.delete("a/b.json")
        assert list(store.keys()) == []
        with pytest.raises(FileNotFoundError):
            store.read("a/b.json")

    def test_the_time_of_writing_is_known(self, store: Store) -> None:
        """It is about now, and says its time zone."""
        store.write("a.json", b"1")
        written = store.modified("a.json")
        assert written is not None
        assert abs(datetime.now(UTC) - written) < timedelta(minutes=1)

    @pytest.mark.parametrize("key", ["../a", "a/../../b", "/etc/passwd", "", "a\\b"])
    def test_no_key_leaves_the_store(self, store: Store, key: str) -> None:
        """A key that points out of the store is refused, for reading as for writing."""
        for use in (store.read, store.delete, lambda key: store.write(key, b"")):
            with pytest.raises(ValueError, match="not a key"):
                use(key)

    def test_a_reader_sees_whole_files_only(self, store: Store) -> None:
        """While a file is replaced again and again, a reader finds one content or the other."""
        contents = {b"a" * 300_000, b"b" * 300_000}
        store.write("p/f.csv", b"a" * 300_000)
        done = threading.Event()

        def write() -> None:
            try:
                for _ in range(10):
                    for data in contents:
                        store.write("p/f.csv", data)
            finally:
                done.set()

        writer = threading.Thread(target=write)
        writer.start()
        while not done.is_set():
            assert store.read("p/f.csv") in contents
            assert list(store.keys()) == ["p/f.csv"]
        writer.join()

    def test_it_can_be_pickled(self, store: Store) -> None:
        """Another process gets the same store."""
        store.write("a.json", b"1")
        assert pickle.loads(pickle.dumps(store)).read("a.json") == b"1"
