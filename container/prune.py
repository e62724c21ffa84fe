"""Remove from an environment what the program never opens: python prune.py ENVIRONMENT.

Licences stay. What goes is said, with its size; docs/adr/0008-container.md has the table.
"""

import shutil
import sys
from pathlib import Path

# Below site-packages. A pattern that matches nothing fails: then a package has changed.
PATTERNS = (
    "**/*.pyi",
    "fontTools/**/*.c",
    "h5py/tests",
    "matplotlib/mpl-data/images",
    "matplotlib/mpl-data/sample_data",
    "matplotlib/mpl-data/fonts/afm",
    "matplotlib/mpl-data/fonts/pdfcorefonts",
    "matplotlib/tests",
    "mpl_toolkits/*/tests",
    "numba/cuda",
    "numba/tests",
    "numpy/*/tests",
    "numpy/f2py",
    "pandas/tests",
)
# Packages that may be there, and what of them goes.
OPTIONAL = ("botocore/data/*", "numpy/tests", "numpy/_core/include", "numpy/_core/lib")
# The services that credentials come from.
KEPT = {"sts", "sso", "sso-oidc", "signin", "endpoints.json", "partitions.json", "sdk-default-configuration.json", "_retry.json"}


def size_of(path: Path) -> int:
    """Return the bytes of a file or folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(f.lstat().st_size for f in files if not f.is_dir())


def main(environment: Path) -> int:
    """Prune, and say what went."""
    (site,) = environment.glob("lib/python3*/site-packages")
    missing = False
    for pattern in (*PATTERNS, *OPTIONAL):
        found = [p for p in site.glob(pattern) if p.name not in KEPT]
        if not found and pattern in PATTERNS:
            print(f"nothing matches {pattern}", file=sys.stderr)
            missing = True
        removed = sum(size_of(p) for p in found)
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        print(f"{removed / 1e6:7.1f} MB  {pattern}")
    return int(missing)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
