"""Reads `prefect.yaml` strictly: `prefect deploy` lets a misspelt key or parameter pass silently.

Seen on Prefect 3.8.8: `concurency_limit` deploys with status 0 and no limit; an unknown flow
parameter deploys with status 0 and fails at its first run; an unset `$VARIABLE` stays as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import available_timezones

import yaml
from cronsim import CronSim, CronSimError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from audiencehub.errors import Fault
from audiencehub.server.home import TAG
from audiencehub.server.signatures import Signature, signature

FILE = "prefect.yaml"
VARIABLE = re.compile(r"\{\{\s*\$(\w+)\s*\}\}")


class Part(BaseModel):
    """A table of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_text)]


class Schedule(Part):
    """When a deployment runs; the slug keeps a pause that someone set on the server's pages."""

    slug: str = Field(pattern=r"^[a-z0-9-]+$")
    cron: str | None = None
    interval: int | None = Field(default=None, ge=10)
    anchor_date: str | None = None
    timezone: str = "UTC"
    parameters: dict[str, Any] = Field(default_factory=dict)
    replaces: str | None = None


class Limit(Part):
    """How many runs of a deployment at once, and what happens to one too many."""

    limit: int = Field(ge=1)
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"]
    grace_period_seconds: int | None = Field(default=None, ge=60)


class WorkPool(Part):
    """Where its runs go."""

    name: str
    work_queue_name: str | None = None
    job_variables: dict[str, Any] = Field(default_factory=dict)


class Trigger(Part):
    """An event that starts a run."""

    type: Literal["event"]
    enabled: bool = True
    name: str | None = None
    description: str | None = None
    match: dict[str, Any] = Field(default_factory=dict)
    match_related: dict[str, Any] = Field(default_factory=dict)
    expect: list[str]
    threshold: int | None = None
    within: float | None = None
    posture: Literal["Reactive", "Proactive"] | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    job_variables: dict[str, Any] = Field(default_factory=dict)


class Deployment(Part):
    """One flow with its schedule, parameters and place."""

    name: str
    entrypoint: str = Field(pattern=r"^flows/\w+\.py:\w+$")
    version: Text | None = None
    description: str | None = None
    tags: list[str] = Field(default_factory=list)
    parameters: dict[str, Any] = Field(default_factory=dict)
    schedules: list[Schedule] = Field(default_factory=list)
    concurrency_limit: Limit
    work_pool: WorkPool
    triggers: list[Trigger] = Field(default_factory=list)
    enforce_parameter_schema: bool = True


class Document(Part):
    """The whole file."""

    name: str
    prefect_version: Text | None = Field(default=None, alias="prefect-version")
    description: str | None = None
    definitions: dict[str, Any] = Field(default_factory=dict)
    build: list[Any] | None = None
    push: list[Any] | None = None
    pull: list[Any] | None = None
    deployments: list[Deployment]


def read(root: Path, variables: Mapping[str, str]) -> tuple[Document | None, list[Fault]]:
    """The file in `root`, and everything wrong with it, each with its line.

    `variables` are those the deploying process sets; `{{ $NAME }}` is replaced by its value.
    """
    path = root / FILE
    try:
        text = path.read_text("utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except FileNotFoundError:
        return None, [Fault(FILE, 1, "is absent", "Restore it from version control")]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "cannot be read"
        return None, [Fault(FILE, mark.line + 1 if mark else 1, f"is no YAML: {problem}")]
    if node is None or not isinstance(data, dict):
        return None, [Fault(FILE, 1, "holds no deployments")]
    faults = [*_duplicates(node), *_unset(text, variables)]
    try:
        document = Document.model_validate(_filled(data, variables))
    except ValidationError as error:
        return None, sorted(faults + [_fault(node, one) for one in error.errors()])
    for number, deployment in enumerate(document.deployments):
        faults += _deployment(root, node, number, deployment)
    names = [one.name for one in document.deployments]
    for number, name in enumerate(names):
        if name in names[:number]:
            line = _line(node, ("deployments", number, "name"))
            faults.append(Fault(FILE, line, f"deployment {name} is there twice", "Rename one"))
    return document, sorted(faults)


def _deployment(root: Path, node: yaml.Node, number: int, one: Deployment) -> Iterator[Fault]:
    at = ("deployments", number)
    if TAG not in one.tags:
        why = "so that a dead run is noticed and --prune finds it"
        yield Fault(
            FILE, _line(node, at), f"{one.name} lacks the tag {TAG}, {why}", "Add it to tags"
        )
    found = signature(root, one.entrypoint)
    if isinstance(found, str):
        yield Fault(FILE, _line(node, (*at, "entrypoint")), f"{one.entrypoint}: {found}")
        return
    given = set(one.parameters)
    yield from _parameters(node, (*at, "parameters"), one.parameters, found)
    for index, schedule in enumerate(one.schedules):
        place = (*at, "schedules", index)
        yield from _parameters(node, (*place, "parameters"), schedule.parameters, found)
        yield from _missing(node, place, given | set(schedule.parameters), found)
        yield from _schedule(node, place, schedule)
    for index, trigger in enumerate(one.triggers):
        place = (*at, "triggers", index)
        yield from _parameters(node, (*place, "parameters"), trigger.parameters, found)
        yield from _missing(node, place, given | set(trigger.parameters), found)


def _parameters(
    node: yaml.Node, at: tuple[str | int, ...], given: Mapping[str, Any], flow: Signature
) -> Iterator[Fault]:
    for name, value in given.items():
        line = _line(node, (*at, name))
        if name not in flow.types:
            near = get_close_matches(name, flow.types, 1)
            hint = f"Did you mean {near[0]}?" if near else f"It takes: {', '.join(flow.types)}"
            yield Fault(FILE, line, f"the flow {flow.name} takes no parameter {name!r}", hint)
        elif wrong := flow.refuses(name, value):
            yield Fault(FILE, line, f"parameter {name} of {flow.name} {wrong}")


def _missing(
    node: yaml.Node, at: tuple[str | int, ...], given: set[str], flow: Signature
) -> Iterator[Fault]:
    for name in sorted(flow.required - given):
        yield Fault(FILE, _line(node, at), f"the flow {flow.name} needs parameter {name!r} here")


def _schedule(node: yaml.Node, at: tuple[str | int, ...], one: Schedule) -> Iterator[Fault]:
    if (one.cron is None) == (one.interval is None):
        yield Fault(FILE, _line(node, at), f"schedule {one.slug} needs cron or interval, not both")
    if one.cron is not None and (problem := cron_problem(one.cron)):
        yield Fault(FILE, _line(node, (*at, "cron")), f"{one.cron!r} is no cron line: {problem}")
    zones = available_timezones()
    if one.timezone not in zones and not VARIABLE.search(one.timezone):
        near = get_close_matches(one.timezone, zones, 1)
        hint = f"Did you mean {near[0]}?" if near else ""
        line = _line(node, (*at, "timezone"))
        yield Fault(FILE, line, f"{one.timezone!r} is no IANA time zone", hint)


def cron_problem(text: str) -> str:
    """Why that is no cron line; empty when it is one."""
    if len(text.split()) != 5:
        return "it has five fields: minute hour day month weekday"
    try:
        next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        return str(error)
    except StopIteration:
        return "it never comes"
    return ""


def _unset(text: str, variables: Mapping[str, str]) -> Iterator[Fault]:
    for number, line in enumerate(text.splitlines(), 1):
        code = line.split(" #")[0] if not line.lstrip().startswith("#") else ""
        for name in VARIABLE.findall(code):
            if name not in variables:
                near = get_close_matches(name, variables, 1)
                hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(variables)}"
                yield Fault(FILE, number, f"${name} is not set and would stay as text", hint)


def _filled(data: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(data, dict):
        return {key: _filled(value, variables) for key, value in data.items()}
    if isinstance(data, list):
        return [_filled(value, variables) for value in data]
    if isinstance(data, str):
        return VARIABLE.sub(lambda found: variables.get(found[1], found[0]), data)
    return data


def _duplicates(node: yaml.Node) -> Iterator[Fault]:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                first = f"the first is at line {seen[key.value]}"
                yield Fault(FILE, line, f"{key.value} is there twice ({first})", "Remove one")
            seen[key.value] = line
            yield from _duplicates(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _duplicates(value)


def _fault(node: yaml.Node, error: Any) -> Fault:
    at: tuple[str | int, ...] = tuple(error["loc"])
    line = _line(node, at)
    name = ".".join(str(part) for part in at)
    if error["type"] != "extra_forbidden":
        return Fault(FILE, line, f"{name}: {error['msg'].removeprefix('Value error, ')}")
    if at[-1] == "active":
        why = "would undo a pause set on the server's pages at every deploy"
        return Fault(FILE, line, f"{name} {why}", "Remove it")
    near = get_close_matches(str(at[-1]), _keys(at[:-1]), 1)
    hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(_keys(at[:-1]))}"
    return Fault(FILE, line, f"{name} is not a key of prefect.yaml", hint)


def _keys(at: tuple[str | int, ...]) -> list[str]:
    model: type[BaseModel] = Document
    for part in at:
        if isinstance(part, str) and part in model.model_fields:
            inner = [t for t in (model.model_fields[part].annotation,) if t]
            nested = [a for t in inner for a in (t, *get_args(t)) if _is_model(a)]
            model = nested[0] if nested else model
    return [field.alias or name for name, field in model.model_fields.items()]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _line(node: yaml.Node, at: tuple[str | int, ...]) -> int:
    """The line of the deepest part of a path that is there."""
    line = node.start_mark.line + 1
    for part in at:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
