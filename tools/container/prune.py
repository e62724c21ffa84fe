"""Remove from an environment what the program never opens: python prune.py ENVIRONMENT.

    python prune.py --compiler ENVIRONMENT    numba and LLVM, once every loop is compiled

What draws in notebooks goes too: the program's own loops draw its files (docs/adr/0014-raster.md).

Licences of what stays stay. What goes is said, with its size; docs/adr/0008-container.md has the
table.
"""

import shutil
import struct
import sys
from pathlib import Path

# matplotlib, and what only it needs: whole packages, so that the bill of materials lacks them.
NOTEBOOKS = (
    "matplotlib", "mpl_toolkits", "pylab.py", "matplotlib-*.dist-info",
    "contourpy", "contourpy-*.dist-info",
    "cycler", "cycler-*.dist-info",
    "fontTools", "fonttools-*.dist-info", "../../../bin/fonttools", "../../../bin/pyft*",
    "../../../bin/ttx", "../../../share/man/man1/ttx.1",
    "kiwisolver", "kiwisolver-*.dist-info",
    "PIL", "pillow.libs", "pillow-*.dist-info",
    "pyparsing", "pyparsing-*.dist-info",
)  # fmt: skip
# Below site-packages. A pattern that matches nothing fails: then a package has changed.
PATTERNS = (
    *NOTEBOOKS,
    "**/*.pyi",
    "botocore/data/*",
    "h5py/tests",
    "numpy/*/tests",
    "numpy/_core/_*_tests*.so",
    "numpy/_core/_simd*.so",
    "numpy/_core/include",
    "numpy/f2py",
    "pandas/tests",
    "pygments/lexers/*",
    "rdata/tests",
    "xarray/tests",
)
COMPILER = (
    "llvmlite", "llvmlite-*.dist-info", "numba", "numba-*.dist-info", "../../../bin/numba",
)  # fmt: skip
# Of botocore's descriptions of services: those that credentials come from, and its tables. Of the
# languages that pygments knows: Python, and its list of them.
KEPT = {"signin", "sso", "sso-oidc", "sts", "__init__.py", "_mapping.py", "python.py"}


def whole_packages() -> set[str]:
    """Return the names of the packages that go as a whole, as their metadata folders have them."""
    ends = "-*.dist-info"
    return {p.removesuffix(ends) for p in (*NOTEBOOKS, *COMPILER) if p.endswith(ends)}


def size_of(path: Path) -> int:
    """Return the bytes of a file or folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(f.lstat().st_size for f in files if not f.is_dir())


def strip(library: Path) -> int:
    """Cut off what a library has beyond its loaded segments, and return how many bytes that was.

    Symbol and section tables are for linkers and debuggers; the loader reads segments. This is
    what `strip --strip-unneeded` does, for an image that has no binutils.
    """
    with library.open("r+b") as file:
        header = file.read(64)
        if header[:6] != b"\x7fELF\x02\x01":  # 64 bits, little-endian
            return 0
        offset, entry_size, n_entries = (
            struct.unpack_from("<Q", header, 32)[0],
            *struct.unpack_from("<HH", header, 54),
        )
        end = offset + entry_size * n_entries
        for i in range(n_entries):
            file.seek(offset + i * entry_size)
            start, _, _, length = struct.unpack_from("<QQQQ", file.read(entry_size), 8)
            end = max(end, start + length)
        before = file.seek(0, 2)
        if end >= before:
            return 0
        file.truncate(end)
        file.seek(40)
        file.write(bytes(8))  # no section headers ...
        file.seek(58)
        file.write(bytes(6))  # ... of no size, none of them, no names
        return before - end


def main(environment: Path, patterns: tuple[str, ...]) -> int:
    """Prune, and say what went."""
    (site,) = environment.glob("lib/python3*/site-packages")
    missing = False
    for pattern in patterns:
        found = [p for p in site.glob(pattern) if p.name not in KEPT and p.suffix != ".json"]
        if not found:
            print(f"nothing matches {pattern}", file=sys.stderr)
            missing = True
        removed = sum(size_of(p) for p in found)
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        print(f"{removed / 1e6:7.1f} MB  {pattern}")
    stripped = sum(strip(p) for p in site.rglob("*.so*") if p.is_file() and not p.is_symlink())
    print(f"{stripped / 1e6:7.1f} MB  symbol tables")
    return int(missing)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[-1]), COMPILER if "--compiler" in sys.argv else PATTERNS))
