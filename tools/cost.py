"""Write the tables of docs/how-to/cost.md from docs/how-to/cost.toml: prices × what was measured.

python tools/cost.py [--check]
"""

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

HOW_TO = Path(__file__).resolve().parent.parent / "docs/how-to"
BEGIN, END = "<!-- cost: begin -->", "<!-- cost: end -->"


def dollars(value: float) -> str:
    """Return a sum with as many digits as it deserves."""
    return f"${value:,.0f}" if value >= 100 else f"${value:.2f}" if value >= 0.01 else "< $0.01"


def hours(seconds: float) -> str:
    """Return a duration."""
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.0f} h"


def hour_price(prices: dict[str, Any], task: dict[str, Any]) -> float:
    """Return what a task costs in an hour."""
    return float(
        task["vcpus"] * prices["vcpu_hour"]
        + task["memory_gb"] * prices["memory_gb_hour"]
        + max(0, task["scratch_gb"] - 20) * prices["scratch_gb_hour"]
        + prices["public_address_hour"]
    )


def run_cost(given: dict[str, Any], portal: dict[str, Any], share: float) -> dict[str, float]:
    """Return seconds and dollars of a run that processes a share of a portal's datasets.

    ``reads`` of a portal is how often each byte is fetched.
    """
    prices, task, measured = given["prices"], given["task"], given["measured"]
    speeds = measured | given["assumed"]
    n_matrices, n_bytes = share * portal["datasets"], share * portal["bytes"]
    cpu = (
        n_matrices * measured["cpu_seconds_per_matrix"]
        + (n_bytes / 1e9) * speeds[f"cpu_seconds_per_gb_{portal['format']}"]
    )
    # Downloads overlap with the work: the longer of the two is what is waited for.
    n_fetched = n_bytes * portal["reads"]
    working = max(cpu / task["vcpus"], n_fetched / given["assumed"]["download_bytes_per_second"])
    seconds = task["start_seconds"] + working
    puts = n_matrices * measured["objects_per_matrix_published"] / 1000 * prices["put_1000"]
    # What is unchanged is asked for: one small read each.
    gets = portal["datasets"] / 1000 * prices["get_1000"]
    logs = portal["datasets"] * measured["log_bytes_per_matrix"] / 1e9 * prices["log_gb"]
    return {
        "cpu": cpu,
        "seconds": seconds,
        "task": seconds / 3600 * hour_price(prices, task),
        "rest": puts + gets + logs,
    }


def shared(given: dict[str, Any], portal: dict[str, Any], tasks: int) -> dict[str, float]:
    """Return hours and dollars of a first run that several tasks do together, and its end.

    The shards are taken as equal: no shard is larger than that by more than the largest project.
    """
    alone, start = run_cost(given, portal, 1), given["task"]["start_seconds"]
    working = alone["seconds"] - start
    end = 0.0
    if tasks > 1:  # one more task makes the pages
        end = start + portal["datasets"] * given["measured"]["pages_seconds_per_matrix"]
    hour = hour_price(given["prices"], given["task"])
    return {
        "seconds": start + working / tasks + end,
        "costs": (tasks * start + working + end) / 3600 * hour + alone["rest"],
    }


def render_shared(given: dict[str, Any]) -> list[str]:
    """Return the table of runs of several tasks."""
    counts = given["task"]["counts"]
    lines = [
        "",
        "The first run by the number of tasks side by side (`tasks`, or `make first-run`): hours "
        "from the start to the pages, and what it costs without Spot.",
        "",
        "| portal | " + " | ".join(f"{n} task{'s' if n > 1 else ''}" for n in counts) + " |",
        "|---|" + "---|" * len(counts),
    ]
    for portal in given["portal"]:
        found = [shared(given, portal, tasks) for tasks in counts]
        cells = [f"{hours(one['seconds'])}, {dollars(one['costs'])}" for one in found]
        lines.append(f"| {portal['name']} | {' | '.join(cells)} |")
    return lines


def render(given: dict[str, Any]) -> str:
    """Return the tables."""
    prices, task = given["prices"], given["task"]
    hour = hour_price(prices, task)
    lines = [
        f"Prices of {prices['date']}, us-east-1 ({prices['source']}). A task of {task['vcpus']} "
        f"arm64 cores, {task['memory_gb']} GB and {task['scratch_gb']} GB of scratch costs "
        f"${hour:.4f} an hour; on Spot about {prices['spot_share']:.0%} of that. Measured on "
        f"{given['measured']['date']}.",
        "",
        "| portal | bytes | first run: CPU | task hours | costs | on Spot | a day after that "
        "| a month |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for portal in given["portal"]:
        first = run_cost(given, portal, 1)
        daily = run_cost(given, portal, given["assumed"]["changed_per_day"])
        day = daily["task"] + daily["rest"]
        lines.append(
            f"| {portal['name']} | {portal['bytes'] / 1e9:,.0f} GB | {hours(first['cpu'])} "
            f"| {hours(first['seconds'])} | {dollars(first['task'] + first['rest'])} "
            f"| {dollars(first['task'] * prices['spot_share'] + first['rest'])} "
            f"| {dollars(day)} | {dollars(30 * day + standing(given, portal))} |"
        )
    lines += render_shared(given)
    lines += [
        "",
        "*A month* is 30 daily runs and the fixed costs: "
        + "; ".join(f"{p['name']}: {dollars(standing(given, p))}" for p in given["portal"])
        + " (figures in S3 with a third more for old versions, three images, six alarm "
        "metrics).",
        "",
        "Assumed, not measured:",
        "",
        *(f"- {portal['name']}: {portal['why']}." for portal in given["portal"]),
        f"- A portal sends {given['assumed']['download_bytes_per_second'] / 1e6:.0f} MB a second "
        f"to a task; {given['assumed']['changed_per_day']:.0%} of the datasets change on a day; "
        f"{task['start_seconds']} s pass before the program starts.",
        f"- A GB of mtx.zip takes {given['assumed']['cpu_seconds_per_gb_mtx_zip']} CPU seconds.",
        f"- {given['assumed']['reads_why']}.",
        "- A core of Graviton does the work of a core of the machine that was measured on.",
    ]
    return "\n".join(lines)


def standing(given: dict[str, Any], portal: dict[str, Any]) -> float:
    """Return what a month costs without any run."""
    prices, measured = given["prices"], given["measured"]
    figures = portal["datasets"] * measured["bytes_per_matrix_published"] / 1e9
    return float(
        figures * 4 / 3 * prices["storage_gb_month"]
        + 3 * 0.2 * prices["image_gb_month"]
        + 6 * prices["alarm_month"]
    )


def main() -> int:
    """Write, or check that there is nothing to write."""
    parser = argparse.ArgumentParser(description="Write the tables of docs/how-to/cost.md.")
    parser.add_argument("--check", action="store_true", help="fail if they are not up to date")
    check = parser.parse_args().check
    page = HOW_TO / "cost.md"
    text = page.read_text()
    given = tomllib.loads((HOW_TO / "cost.toml").read_text())
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    new = f"{before}{BEGIN}\n{render(given)}\n{END}{after}"
    if check:
        return int(new != text)
    page.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
