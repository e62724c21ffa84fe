"""The state machine of a run, executed: a shard that fails costs itself only, and says why."""

from __future__ import annotations

import json
import random
import shutil
import string
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.infra.machine import SINCE, Played, TaskFailed, execute
from tests.infra.terraform import (
    HEAVY,
    INFRA,
    environment,
    loopback_aws,
    need_terraform,
    run,
)

pytestmark = HEAVY

HERE = "us-east-1:123456789012"
VARIABLES = {
    "name": "dpss-dev",
    "cluster_arn": f"arn:aws:ecs:{HERE}:cluster/dpss-dev",
    "cluster_name": "dpss-dev",
    "task_definition_arn": f"arn:aws:ecs:{HERE}:task-definition/dpss-dev:7",
    "task_family": "dpss-dev",
    "task_role_arns": ["arn:aws:iam::123456789012:role/task"],
    "subnet_ids": ["subnet-1"],
    "security_group_ids": ["sg-1"],
    "assign_public_ip": True,
    "use_spot": True,
    "tasks": 3,
    "log_group": "/ecs/dpss-dev",
    "topic_arn": f"arn:aws:sns:{HERE}:dpss-dev-alarms",
    "expression": "cron(30 2 * * ? *)",
    "timezone": "UTC",
    "window_minutes": 15,
    "enabled": True,
    "timeout_seconds": 82800,
    "log_retention_days": 365,
    "dead_letter_retain_days": 14,
}


@pytest.fixture(scope="module")
def definition(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Plan the module; return the state machine as AWS would get it."""
    need_terraform()
    pytest.importorskip("moto.server")
    folder = tmp_path_factory.mktemp("machine")
    shutil.copytree(INFRA / "modules", folder / "modules")
    module = folder / "modules" / "schedule"
    shutil.copy(INFRA / ".terraform.lock.hcl", module)
    (module / "provider.tf").write_text(
        'provider "aws" {\n  region = "us-east-1"\n  skip_credentials_validation = true\n'
        "  skip_metadata_api_check = true\n}\n"
    )
    (module / "terraform.tfvars.json").write_text(json.dumps(VARIABLES))
    with loopback_aws(folder / "moto.log") as address:
        env = environment(folder) | {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
        run("init", "-input=false", "-lockfile=readonly", cwd=module, env=env)
        run("plan", "-input=false", "-out=plan", cwd=module, env=env)
        shown = json.loads(run("show", "-json", "plan", cwd=module, env=env).stdout)
    (machine,) = (
        r for r in shown["planned_values"]["root_module"]["resources"]
        if r["type"] == "aws_sfn_state_machine"
    )  # fmt: skip
    return json.loads(machine["values"]["definition"])


def shard_of(parameters: dict[str, Any]) -> str:
    """Return the shard that a task is told."""
    (container,) = parameters["Overrides"]["ContainerOverrides"]
    told = {e["Name"]: e["Value"] for e in container["Environment"]}
    return str(told["DPSS_SHARD"])


def stopped(exit_code: int | None, code: str = "EssentialContainerExited", **more: Any) -> str:
    """Return what ECS says of a stopped task, as Step Functions hands it on."""
    container = {"Name": "dpss", "LastStatus": "STOPPED"}
    if exit_code is not None:
        container |= {"ExitCode": exit_code}  # type: ignore[dict-item]
    task = {"Containers": [container], "StopCode": code, "StoppedReason": "…", **more}
    return json.dumps(task, separators=(",", ":"))


def given(shards: Iterable[str], concurrency: int = 2, *ends: str) -> dict[str, Any]:
    """Return an execution's input."""
    return {"shards": list(shards), "ends": list(ends), "concurrency": concurrency,
            "timeout_seconds": 60}  # fmt: skip


def fails(**causes: Any) -> Callable[[dict[str, Any]], None]:
    """Play tasks of which some fail: ``s2=cause`` is shard 2/n."""

    def play(parameters: dict[str, Any]) -> None:
        cause = causes.get("s" + shard_of(parameters).partition("/")[0])
        if isinstance(cause, TaskFailed):
            raise cause
        if cause is not None:
            raise TaskFailed(cause)

    return play


def outcomes(found: dict[str, Any]) -> list[dict[str, str]]:
    """Return what is recorded of each shard."""
    return list(json.loads(found["output"]))


def test_all_shards_come_to_their_end(definition: dict[str, Any]) -> None:
    """Three shards, two at a time, each told its own; the outcome of each is recorded."""
    played = Played(fails())
    found = execute(definition, given(["1/3", "2/3", "3/3"]), played)
    assert found["status"] == "SUCCEEDED", found
    assert sorted(map(shard_of, played.asked)) == ["1/3", "2/3", "3/3"]
    assert outcomes(found) == [{"shard": f"{i}/3", "outcome": "done"} for i in (1, 2, 3)]


def test_the_daily_run_of_one_shard(definition: dict[str, Any]) -> None:
    """One shard is a list of one."""
    found = execute(definition, given(["1/1"], 1), Played(fails()))
    assert outcomes(found) == [{"shard": "1/1", "outcome": "done"}]
    found = execute(definition, given(["1/1"], 1), Played(fails(s1="no capacity")))
    assert (found["status"], found["error"]) == ("FAILED", "ShardsFailed")
    assert "no capacity" in found["cause"]


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (stopped(137, StoppedReason="OutOfMemoryError"), "out of memory"),
        (stopped(2), "ExitCode"),
        (stopped(None, "TaskFailedToStart", StoppedReason="CannotPull"), "CannotPull"),
        ("User is not authorized to perform: ecs:RunTask", "not authorized"),
        ("{no JSON", "{no JSON"),
        ("", "failed"),
        (TaskFailed("", "States.Timeout"), "States.Timeout"),
        (TaskFailed("Unable to assume", "ECS.ClusterNotFoundException"), "Unable to assume"),
    ],
)
def test_a_shard_that_fails_costs_itself_only(
    definition: dict[str, Any], cause: Any, reason: str
) -> None:
    """Whatever the cause, JSON or not: the others run to their end, then the run fails and says."""
    played = Played(fails(s2=cause))
    found = execute(definition, given(["1/4", "2/4", "3/4", "4/4"], 1), played)
    assert sorted(map(shard_of, played.asked)) == ["1/4", "2/4", "3/4", "4/4"]
    assert (found["status"], found["error"]) == ("FAILED", "ShardsFailed")
    assert '["2/4"]' in found["cause"]
    assert reason in found["cause"].replace('\\"', '"')


def test_any_text_can_be_a_cause(definition: dict[str, Any]) -> None:
    """Seeded random causes, printable and JSON-like: none ends another shard."""
    chance = random.Random(13)
    letters = string.printable + '{}[]"\\:,*é…' * 5
    causes = {
        f"s{i}": "".join(chance.choice(letters) for _ in range(chance.randrange(1, 200)))
        for i in range(1, 13)
    }
    causes |= {"s3": "{" + causes["s3"] + "}", "s4": '"' + causes["s4"], "s5": "null"}
    played = Played(fails(**causes))
    found = execute(definition, given([f"{i}/14" for i in range(1, 15)], 5), played)
    assert len(played.asked) == 14
    assert (found["status"], found["error"]) == ("FAILED", "ShardsFailed")
    assert found["cause"].startswith("12 of the shards failed")


def test_some_matrices_that_failed_fail_no_run(definition: dict[str, Any]) -> None:
    """Exit 1 has an alarm of its own: recorded, and the run came to its end."""
    found = execute(definition, given(["1/3", "2/3", "3/3"]), Played(fails(s3=stopped(1))))
    assert found["status"] == "SUCCEEDED", found
    assert outcomes(found)[2] == {"shard": "3/3", "outcome": "some matrices failed"}


@pytest.mark.parametrize("cause", [None, "no capacity", stopped(1)])
def test_a_run_of_many_shards_has_one_end(definition: dict[str, Any], cause: str | None) -> None:
    """After all of them, whatever became of them: one task more, told `end/3`."""
    played = Played(fails(s2=cause))
    found = execute(definition, given(["1/3", "2/3", "3/3"], 3, "end/3"), played)
    asked = list(map(shard_of, played.asked))
    assert asked[-1] == "end/3"
    assert sorted(asked[:-1]) == ["1/3", "2/3", "3/3"]
    assert found["status"] == ("FAILED" if cause == "no capacity" else "SUCCEEDED")


def test_an_end_that_fails_fails_the_run(definition: dict[str, Any]) -> None:
    """With its reason, as a shard does."""
    played = Played(fails(send="no image"))
    found = execute(definition, given(["1/2", "2/2"], 2, "end/2"), played)
    assert (found["status"], found["error"]) == ("FAILED", "ShardsFailed")
    assert '["end/2"]' in found["cause"]
    assert "no image" in found["cause"]


@pytest.mark.parametrize("pages", [0, 1, 3])
def test_new_failures_are_told_by_name(definition: dict[str, Any], pages: int) -> None:
    """The line of the log goes to the topic, whichever page of the search has it."""
    line = {"level": "error", "message": "new failures: 1: p/a (no matrix). Report: s3://b/runs/1"}
    played = Played(fails(s1=stopped(1)), log=[*[None] * pages, json.dumps(line)])
    found = execute(definition, given(["1/1"], 1), played)
    assert found["status"] == "SUCCEEDED", found
    (message,) = played.told
    assert message["TopicArn"].endswith(":dpss-dev-alarms")
    assert len(message["Subject"]) <= 100
    for word in ("p/a", "no matrix", "s3://b/runs/1"):
        assert word in message["Message"]
    first, *others = played.searched
    assert (first["LogGroupName"], first["StartTime"]) == ("/ecs/dpss-dev", SINCE)
    assert first["FilterPattern"] == '{ $.message = "new failures:*" }'
    assert [each["NextToken"] for each in others] == [str(i) for i in range(1, pages + 1)]


@pytest.mark.parametrize("log", [[], [None], [None, None]])
def test_without_new_failures_nobody_is_told(
    definition: dict[str, Any], log: list[str | None]
) -> None:
    """A matrix that always fails tells nobody again: the program writes no such line."""
    played = Played(fails(s1=stopped(1)), log=log)
    assert execute(definition, given(["1/1"], 1), played)["status"] == "SUCCEEDED"
    assert played.told == []


@pytest.mark.parametrize("broken", ["filter_log_events", "publish"])
def test_that_nobody_can_be_told_ends_no_run(definition: dict[str, Any], broken: str) -> None:
    """No right, no topic: the run's end is what it was."""
    played = Played(fails(), log=["{}"], broken=broken)
    found = execute(definition, given(["1/2", "2/2"], 2, "end/2"), played)
    assert found["status"] == "SUCCEEDED", found
    assert len(outcomes(found)) == 3


def test_the_time_of_the_beginning(definition: dict[str, Any]) -> None:
    """The one state that moto can't execute here (JSONata): milliseconds beside the input."""
    since = definition["States"]["Since"]
    assert since["Output"] == (
        "{% $merge([$states.input, {'since': $toMillis($states.context.Execution.StartTime)}]) %}"
    )
    others = {name: s for name, s in definition["States"].items() if name != "Since"}
    assert "JSONata" not in json.dumps(others)


def test_exit_codes_that_only_begin_with_one_are_failures(definition: dict[str, Any]) -> None:
    """11 and 139 are not 1."""
    played = Played(fails(s1=stopped(11), s2=stopped(139), s3=stopped(-1)))
    found = execute(definition, given(["1/3", "2/3", "3/3"]), played)
    assert found["cause"].startswith("3 of the shards failed")


def test_what_spot_took_back_is_started_again(definition: dict[str, Any]) -> None:
    """Until it comes to its end; the other shards once."""
    left = [3]

    def play(parameters: dict[str, Any]) -> None:
        if shard_of(parameters) == "2/3" and left[0]:
            left[0] -= 1
            raise TaskFailed(stopped(143, "SpotInterruption"))

    played = Played(play)
    found = execute(definition, given(["1/3", "2/3", "3/3"]), played)
    assert found["status"] == "SUCCEEDED", found
    assert sorted(map(shard_of, played.asked)) == ["1/3", *["2/3"] * 4, "3/3"]


def test_no_second_run_beside_one(definition: dict[str, Any]) -> None:
    """A running task: nothing is started."""
    played = Played(fails(), running=["arn:aws:ecs:task/1"])
    found = execute(definition, given(["1/1"]), played)
    assert (found["status"], found["error"]) == ("FAILED", "AlreadyRunning")
    assert not played.asked


def test_a_reason_for_each_of_many_fits(definition: dict[str, Any]) -> None:
    """Forty shards whose tasks did not start: all are named, and the cause fits into its field."""
    long = stopped(None, "TaskFailedToStart", StoppedReason="CannotPull " + "x" * 4000)
    played = Played(fails(**{f"s{i}": long for i in range(1, 41)}))
    found = execute(definition, given([f"{i}/40" for i in range(1, 41)], 10), played)
    assert found["cause"].startswith("40 of the shards failed")
    assert '"40/40"' in found["cause"]
    assert len(found["cause"]) < 32768
    assert found["cause"].count("CannotPull") == 6
