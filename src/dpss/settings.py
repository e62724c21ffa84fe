"""Settings: frozen, checked once; every fault is gathered before anything is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dpss.errors import SettingsError


@dataclass(frozen=True)
class StatSettings:
    """What changes the numbers."""

    min_gene_count: int = 0
    """Cells with fewer genes detected are left out; 0 keeps all."""
    layer: str | None = None
    """The layer to read, or ``None`` to look for counts."""

    def __post_init__(self) -> None:
        """Check the values."""
        if self.min_gene_count < 0:
            raise SettingsError(
                f"--min-gene-count (DPSS_MIN_GENE_COUNT) is {self.min_gene_count}; "
                "it can't be negative"
            )

    def as_mapping(self) -> Mapping[str, int | str | None]:
        """Return the settings by name, for provenance."""
        return {"layer": self.layer, "min_gene_count": self.min_gene_count}


@dataclass(frozen=True)
class ReadSettings:
    """How matrices are read; none of it changes a number."""

    threads: int = 2
    """Threads that decode and count."""
    block_bytes: int = 8 << 20
    """Decoded size of a block, in bytes."""
    share_bytes: int = 64 << 20
    """Decoded size of what a thread takes at a time, in bytes."""
