"""The state machine, executed: by moto's interpreter, with ECS's part played."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SINCE = 1767225600000
"""When an execution began, for those that look into the log."""
ROLE = "arn:aws:iam::123456789012:role/machine"


class TaskFailed(Exception):
    """How a played task ends, as Step Functions words it: an error's name and a cause."""

    def __init__(self, cause: str, error: str = "States.TaskFailed") -> None:
        """With a cause, JSON or not."""
        super().__init__(cause)
        self.cause, self.error = cause, error


@dataclass
class Played:
    """What ECS is asked, and what it answers: ``play`` gets the parameters of each RunTask."""

    play: Callable[[dict[str, Any]], None]
    running: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    log: list[str | None] = field(default_factory=list)
    """What the search in the log finds, page by page."""
    searched: list[dict[str, Any]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    broken: str = ""
    """A call that fails."""

    def call(self, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer a call of another service."""
        if action == self.broken:
            raise RuntimeError(f"not authorized to perform {action}")
        match action:
            case "list_tasks":
                return {"TaskArns": self.running}
            case "filter_log_events":
                page = int(parameters.get("NextToken", "0"))
                self.searched.append(parameters)
                found = self.log[page] if page < len(self.log) else None
                more = {"NextToken": str(page + 1)} if page + 1 < len(self.log) else {}
                return {"Events": [{"Message": found}] if found else [], **more}
            case "publish":
                self.told.append(parameters)
                return {"MessageId": "1"}
        raise NotImplementedError(action)

    def run_task(self, service: Any, env: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer ``ecs:runTask.sync``."""
        from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
        from moto.stepfunctions.parser.asl.component.common.error_name import (
            custom_error_name,
            failure_event,
            states_error_name,
            states_error_name_type,
        )
        from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

        self.asked.append(parameters)
        try:
            self.play(parameters)
        except TaskFailed as failed:
            details = TaskFailedEventDetails(
                resource="runTask.sync", resourceType="ecs", error=failed.error, cause=failed.cause
            )
            reserved = {t.to_name(): t for t in states_error_name_type.StatesErrorNameType}
            name = (
                states_error_name.StatesErrorName(reserved[failed.error])
                if failed.error in reserved
                else custom_error_name.CustomErrorName(failed.error)
            )
            raise failure_event.FailureEventException(
                failure_event.FailureEvent(
                    env=env,
                    error_name=name,
                    event_type=HistoryEventType.TaskFailed,
                    event_details=EventDetails(taskFailedEventDetails=details),
                )
            ) from None
        return {"StoppedReason": "Essential container in task exited"}


def without_waiting(states: Any) -> Any:
    """Return a definition in which nothing waits: but a second."""
    if isinstance(states, dict):
        if states.get("QueryLanguage") == "JSONata":  # moto needs Java for it
            return {
                "Type": "Pass",
                "Result": SINCE,
                "ResultPath": "$.since",
                "Next": states["Next"],
            }
        return {
            k: 1 if k in {"Seconds", "IntervalSeconds"} and isinstance(v, int) else
            without_waiting(v)
            for k, v in states.items()
        }  # fmt: skip
    return [without_waiting(s) for s in states] if isinstance(states, list) else states


def execute(definition: dict[str, Any], given: dict[str, Any], played: Played) -> dict[str, Any]:
    """Execute a definition to its end; return what ``describe_execution`` says."""
    import boto3
    from moto import mock_aws
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_aws_sdk as sdk,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_ecs as ecs,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_sns as sns,
    )

    task, others = ecs.StateTaskServiceEcs, (sdk.StateTaskServiceAwsSdk, sns.StateTaskServiceSns)
    plain = task._eval_service_task, task._build_sync_resolver
    plain_others = [other._eval_service_task for other in others]
    plain_parameters = task._get_supported_parameters

    def start(self, env, resource_runtime_part, normalised_parameters, state_credentials) -> None:
        env.stack.append(played.run_task(self, env, normalised_parameters))

    def end(self, env, *_, **__) -> Callable[[], Any]:
        answer = env.stack.pop()
        return lambda: answer

    def other(self, env, resource_runtime_part, normalised_parameters, state_credentials) -> None:
        given = {k[0].upper() + k[1:]: v for k, v in normalised_parameters.items()}
        env.stack.append(played.call(self._get_boto_service_action(), given))

    task._eval_service_task, task._build_sync_resolver = start, end
    # Without it: the strategy of capacity providers, which ECS has for years, is refused.
    task._get_supported_parameters = lambda self: (
        plain_parameters(self) | {"CapacityProviderStrategy"}
    )
    for each in others:
        each._eval_service_task = other
    try:
        with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
            client = boto3.client("stepfunctions", region_name="us-east-1")
            machine = client.create_state_machine(
                name="run", definition=json.dumps(without_waiting(definition)), roleArn=ROLE
            )["stateMachineArn"]
            run = client.start_execution(stateMachineArn=machine, input=json.dumps(given))
            for _ in range(600):
                found = client.describe_execution(executionArn=run["executionArn"])
                if found["status"] != "RUNNING":
                    return found
                time.sleep(0.1)
            client.stop_execution(executionArn=run["executionArn"])
            raise AssertionError("the execution does not end")
    finally:
        task._eval_service_task, task._build_sync_resolver = plain
        for each, usual in zip(others, plain_others, strict=True):
            each._eval_service_task = usual
        task._get_supported_parameters = plain_parameters
