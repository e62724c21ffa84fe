"""From results.json to the pages: docs/benchmarks.md, its figures, and numbers in scale.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.agreement import agreement_goals
from benchmarks.goals import MIB, Results, all_goals, seconds_per_value
from benchmarks.measuring import ROOT
from benchmarks.scale import ASSUMPTIONS, CORPORA, cost_of

DOCS = ROOT / "docs"
DOCS_RESULTS = DOCS / "benchmarks" / "results.json"
PAGE = DOCS / "benchmarks.md"
SCALE = DOCS / "explanation" / "scale.md"

_BLOCK = re.compile(r"(<!-- measured: begin -->\n).*?(<!-- measured: end -->)", re.DOTALL)

TITLES = {
    "startup": "Doing little",
    "pairs": "In turn",
    "peers": "The same figures in other ways",
    "mtx": "mtx.gz",
    "memory": "From few cells to many",
    "csv": "Dense csv.gz",
    "embedding": "Cells compared with each other",
    "many": "More than 2³¹ values",
    "pages": "The pages of a portal",
    "dask": "Two workers instead of one",
    "remote": "From far away",
    "memory_2019": "The experiment of 2019 again",
}

TEXTS = {
    "startup": "The quickest of five, with warm caches.",
    "pairs": """\
What the goals compare, one command after the other, five times: medians of time, the largest peak.
*dpss* is the whole `dpss summarize --no-embedding`, with all figures, tables and pages; *scanpy, in
memory*, *scanpy.read_10x_mtx* and *decoding alone* are those of the sections below. *pass* is the
pass over the cells, without opening the file and without figures; its seconds are those of the pass
alone. *by genes* is the same matrix as CSC, read in two passes; *by cells* as CSR, in one.""",
    "peers": """\
h5ad, CSR, gzip, 33,000 genes, about 2,090 of them in each cell. *dpss* is `dpss summarize` with all
its statistics, seven figures as PNG and SVG, tables and pages. The others make two of those
figures, the 20 most expressed genes and the highly variable genes, and what these need: *scanpy, in
memory* by `read_h5ad`, `pl.highest_expr_genes`, `normalize_total`, `log1p` and
`highly_variable_genes`; *scanpy, Dask arrays* by the same functions on AnnData's lazily read X;
*AnnData, backed* and *h5py* by chunks of 6,000 cells with sums by scipy, in two passes. *Decoding
alone* decompresses the chunks with our decoder and threads, and does nothing with them.""",
    "mtx": """\
A Cell Ranger folder. `scanpy.read_10x_mtx` only reads it; *dpss* reads, counts and draws all.""",
    "memory": "`dpss summarize`, the quickest of the runs, and their largest peak.",
    "csv": "*ISA-L and pyarrow* only read; *dpss* reads, counts and draws all.",
    "embedding": """\
`dpss summarize` without and with components, clusters, markers and maps, and scanpy's whole
pipeline (read, quality control, variable genes, components, neighbours, Leiden, UMAP, t-test). The
cells are simulated: 20 types, five rare ones of 0.05 to 0.5 % and a transition, in four samples
that differ a little; no two cells are alike. All other sections leave the embedding out
(`--no-embedding`). scanpy's Leiden needs `pip install -r benchmarks/requirements.txt`. The rank-sum
test is compared on 20,000 of the cells: scanpy's exact one of all takes half an hour.""",
    "many": "A CSR h5ad made so that it is small on disk: all chunks are alike.",
    "pages": """\
All pages of 600 projects with five matrices of 33,000 genes each, from nothing: reports, projects,
the look-up of genes. The seconds are those of the building alone.""",
    "dask": """\
One pass over a matrix on a Dask cluster of this machine, each worker a process with one thread; the
time of the pass alone. Processor time and memory are those of the process that asked.""",
    "remote": """\
The same matrix from this machine's disk, and from a server on loopback, a process beside it, that
adds 30 ms to each request and limits each connection to 50 MB/s. Nothing of it lands on disk.""",
    "memory_2019": """\
In 2019 the first program was tried with 256 MB to 16 GB of memory and several values of
`min_gene_count` on the Census of Immune Cells, an mtx.zip of 2.4 GB. Here is an mtx.zip of that
layout from a seed, with 200 to 2,400 genes in a cell. Without a limit its peak was measured for
each `min_gene_count`. Then each was run under real limits from the smallest up, until one was
enough, for it or for another with the same peak (within 5 %); what is larger is derived from that
and from the peak. Other work may have run beside: the times are no benchmark.""",
}


def write_pages(results: Results) -> None:
    """Write all that is made of results."""
    from benchmarks.drawing import draw_memory_2019, draw_peers, save

    folder = DOCS_RESULTS.parent
    folder.mkdir(parents=True, exist_ok=True)
    sections = results["sections"]
    if "peers" in sections:
        save(draw_peers(results), folder / "peers")
    if "memory_2019" in sections:
        save(draw_memory_2019(sections["memory_2019"]), folder / "memory_2019")
    PAGE.write_text(make_page(results))
    SCALE.write_text(fill_scale(SCALE.read_text(), results))


def describe_goals(results: Results) -> Iterator[str]:
    """Yield a line for each goal."""
    yield "Goals"
    for goal in (*all_goals(results), *agreement_goals(results)):
        yield f"  {goal.verdict:13} {goal.text}: {goal.found or 'no figures yet'}"


def make_page(results: Results) -> str:
    """Return docs/benchmarks.md."""
    lines = [
        "# Benchmarks",
        "",
        "Made by `make bench` from inputs that are drawn from a seed; every number is measured.",
        "Whole processes, each run on its own: time from start to end, processor time of the",
        "process and of those that it waited for, and the largest resident memory: by the kernel",
        "for a single process, looked at ten times a second (with what is shared counted once) for",
        "one with child processes. Inputs are in the page cache.",
        "",
        "## Goals",
        "",
        *table(
            ("Goal", "Found", ""),
            [
                (goal.text, goal.found, goal.verdict)
                for goal in (*all_goals(results), *agreement_goals(results))
            ],
        ),
    ]
    for name, title in TITLES.items():
        if name in results["sections"]:
            section = results["sections"][name]
            lines += ["", f"## {title}", "", TEXTS[name], "", *_section(name, section, results)]
    lines += ["", "## How to do it again", "", *_AGAIN]
    return "\n".join(lines) + "\n"


_AGAIN = [
    "```",
    "make bench                                    # all of it: hours, and 30 GB of disk",
    'make bench ARGS="--quick"                     # a rehearsal with small inputs',
    'make bench ARGS="--sections startup,memory"   # some; the others keep their results',
    'make bench ARGS="--only-pages"                # this page from docs/benchmarks/results.json',
    "```",
    "",
    "`BENCH_DIR` names a folder for the inputs, which are kept and used again.",
]


def _section(name: str, section: dict[str, Any], results: Results) -> Iterator[str]:
    """Yield what a section's page says below its title."""
    if name == "peers":
        yield from ["![Time and memory against the number of cells](benchmarks/peers.png)", ""]
    if name == "memory_2019":
        yield from ["![Which memory is enough](benchmarks/memory_2019.png)", ""]
        yield f"{section['n_cells']:,} cells, {section['n_values']:,} entries, "
        yield f"{section['input_bytes'] / 1e9:.2f} GB. Without a limit:"
        yield ""
    yield from table(*_columns(name, section["rows"]))
    if name == "memory":
        for kind in ("h5ad", "mtx"):
            cost = seconds_per_value(results, kind)
            if cost is not None:
                yield ""
                yield f"{kind}: {cost * 1e9:.1f} ns for one more stored value."
    if name == "memory_2019":
        yield ""
        yield from table(*_limits(section["cells"]))
    yield ""
    yield _where(section)


def _columns(
    name: str, rows: Sequence[dict[str, Any]]
) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Return header and lines of a section's table."""
    from benchmarks.drawing import NAMES

    first = {
        "memory_2019": "min_gene_count",
        "memory": "Format",
        "embedding": "Embedding",
    }.get(name, "")
    lines: list[Sequence[str]] = []
    for row in rows:
        said = (row.get(key) for key in ("min_gene_count", "kind", "embedding"))
        usual = NAMES.get(row["contender"], row["contender"])
        label = str(next((value for value in said if value is not None), usual))
        cells = f"{row['n_cells']:,}" if "n_cells" in row else ""
        values = f"{row['n_values']:,}" if "n_values" in row else ""
        if row["status"] != "ok":
            reason = row.get("reason", row["status"])
            lines.append((label, cells, values, f"skipped: {row['status']}", "", "", reason[:80]))
            continue
        per_value = f"{row['wall_seconds'] / row['n_values'] * 1e9:.1f}" if values else ""
        seconds = row.get("fold_seconds", row.get("build_seconds", row["wall_seconds"]))
        lines.append(
            (
                label,
                cells,
                values,
                f"{seconds:.2f}",
                f"{row['cpu_seconds']:.2f}",
                f"{row['peak_bytes'] / MIB:,.0f}",
                per_value,
            )
        )
    header = (first, "Cells", "Stored values", "Seconds", "CPU seconds", "Peak MiB", "ns per value")
    return header, lines


def _limits(cells: Sequence[dict[str, Any]]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Return the table of memory limits."""
    sizes = sorted({cell["memory_bytes"] for cell in cells})
    lines: list[Sequence[str]] = []
    for count in sorted({cell["min_gene_count"] for cell in cells}):
        found = {c["memory_bytes"]: c for c in cells if c["min_gene_count"] == count}
        lines.append((f"{count:,}", *(_verdict(found.get(size)) for size in sizes)))
    return ("min_gene_count", *(f"{size >> 20:,} MiB" for size in sizes)), lines


def _verdict(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return ""
    return f"{'enough' if cell['suffices'] else 'too little'} ({cell['how']})"


def _where(section: dict[str, Any]) -> str:
    """Say on what a section was measured."""
    machine, versions = section["machine"], section["versions"]
    small = "A rehearsal with small inputs. " if section["quick"] else ""
    listed = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    return (
        f"{small}Measured on {section['measured']}: {machine['processor']}, "
        f"{machine['processors_used']} processors used, "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB of memory, {machine['system']}; {listed}. "
        f"A run is ended after {section['limits']['time_seconds']:,.0f} s or at "
        f"{section['limits']['bytes'] / 2**30:.0f} GiB."
    )


def fill_scale(page: str, results: Results) -> str:
    """Return docs/explanation/scale.md with its measured block made anew."""
    block = "\n".join(scale_lines(results))
    return _BLOCK.sub(lambda found: f"{found[1]}{block}\n{found[2]}", page)


def scale_lines(results: Results) -> Iterator[str]:
    """Yield the measured block of the page on scale."""
    yield ""
    rows: list[Sequence[str]] = []
    for corpus in CORPORA:
        for kind, name in (("h5ad", "h5ad"), ("mtx", "mtx.gz")):
            cost = cost_of(corpus, kind, results)
            if cost is not None:
                rows.append(
                    (
                        corpus.name,
                        name,
                        f"{corpus.n_cells / 1e6:,.0f} million",
                        f"{cost.stored_bytes / 1e9:,.0f} GB",
                        f"{cost.work_hours:,.1f} h",
                        f"{cost.transfer_hours:,.1f} h",
                        f"${cost.dollars:,.2f}",
                    )
                )
    if not rows:
        yield "Not measured yet: the sections `startup` and `memory` of `make bench` fill this in."
        yield ""
    else:
        for kind in ("h5ad", "mtx"):
            cost = seconds_per_value(results, kind)
            if cost is not None:
                peak = max(
                    row["peak_bytes"]
                    for row in results["sections"]["memory"]["rows"]
                    if row["kind"] == kind
                )
                yield (
                    f"- {kind}: {cost * 1e9:.1f} ns per stored value on "
                    f"{results['sections']['memory']['machine']['processors_used']} processors, "
                    f"peak memory {peak / MIB:,.0f} MiB at any size."
                )
        yield ""
        header = ("Collection", "If all were", "Cells", "Stored", "Work", "Transfer", "Fargate")
        yield from table(header, rows)
        yield ""
        if results["sections"]["memory"]["quick"]:
            yield "From a rehearsal with small inputs."
            yield ""
    yield "Assumed:"
    yield ""
    yield from (f"- {text}" for text in ASSUMPTIONS)
    yield ""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table in Markdown."""
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
