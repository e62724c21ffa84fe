"""Measure this program beside others: ``make bench``.

    python -m benchmarks.run [--quick] [--sections a,b]

Prints the figures side by side with the goals, keeps them in docs/benchmarks/results.json and makes
docs/benchmarks.md of it. Sections that are not run keep their earlier results, each with the
machine and the day on which it was measured. A rehearsal (`--quick`) leaves docs as they are
unless it is told to `--write`.
"""

from __future__ import annotations

import argparse
import json
import os
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bench import Bench, describe_machine, say
from benchmarks.measuring import ROOT, Limits
from benchmarks.report import DOCS_RESULTS, describe_goals, write_pages
from benchmarks.sections import QUICK, SECTIONS, Sizes, take_versions, warm_up


def main() -> int:
    """Run the sections that are asked for; return the exit code."""
    options = parse_options()
    data = options.folder.resolve()
    data.mkdir(parents=True, exist_ok=True)
    write = options.write or not options.quick
    target = DOCS_RESULTS if write else data / "results.json"
    if options.only_pages:
        write_pages(json.loads(DOCS_RESULTS.read_text()))
        return 0
    results = json.loads(target.read_text()) if target.exists() else {"sections": {}}
    memory = int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 0.8)
    limits = Limits(options.time_limit, options.memory_limit or memory, cpus=options.cpus)
    bench = Bench(data, limits, options.repeats)
    sizes = QUICK if options.quick else Sizes(zip_bytes=options.zip_bytes)
    if options.peers_cells:
        sizes = replace(sizes, peers=tuple(options.peers_cells))
    broken: list[str] = []
    say("warming up")
    warm_up(bench)
    for name in options.sections:
        say(f"{name}: {(SECTIONS[name].__doc__ or '').splitlines()[0]}")
        try:
            section = SECTIONS[name](bench, sizes)
        except Exception:
            # Hours of other sections may follow, or be done already.
            traceback.print_exc()
            broken.append(name)
            continue
        section["quick"] = options.quick
        section["measured"] = datetime.now(UTC).date().isoformat()
        section["machine"] = describe_machine(limits)
        section["versions"] = take_versions(bench)
        section["limits"] = {"time_seconds": limits.time_seconds, "bytes": limits.memory_bytes}
        results["sections"][name] = section
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    say("")
    for line in describe_goals(results):
        say(line)
    say(f"\nresults: {target.name}")
    if write:
        write_pages(results)
    if broken:
        say(f"sections that broke: {', '.join(broken)}")
    return 1 if broken else 0


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure this program beside others.")
    parser.add_argument("--quick", action="store_true", help="small inputs: a rehearsal")
    parser.add_argument(
        "--sections",
        type=lambda text: text.split(","),
        default=list(SECTIONS),
        help=f"some of {','.join(SECTIONS)}",
    )
    parser.add_argument("--write", action="store_true", help="also with --quick")
    parser.add_argument("--only-pages", action="store_true", help="make the pages of what is kept")
    default = Path(os.environ.get("BENCH_DIR", ROOT / "benchmarks" / "data"))
    parser.add_argument("--folder", type=Path, default=default, help="of inputs [BENCH_DIR]")
    parser.add_argument("--repeats", type=int, default=1, help="runs of which the quickest counts")
    parser.add_argument("--time-limit", type=float, default=1800, help="seconds per run")
    parser.add_argument("--memory-limit", type=int, default=0, help="bytes; default 80 %% of all")
    parser.add_argument("--cpus", type=int, default=2, help="processors per run; 0 for all")
    parser.add_argument(
        "--peers-cells",
        type=lambda text: [int(n) for n in text.split(",")],
        help="cells of the matrices of the section peers, instead of all its sizes",
    )
    parser.add_argument("--zip-bytes", type=int, default=Sizes.zip_bytes, help="of memory_2019")
    options = parser.parse_args()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(
            f"no such section: {', '.join(sorted(unknown))}; there is {', '.join(SECTIONS)}"
        )
    return options


if __name__ == "__main__":
    raise SystemExit(main())
