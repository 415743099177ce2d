"""A flow's parameters, read from its file as text: Prefect is not imported to check a file."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLAIN: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
}


@dataclass(frozen=True, slots=True)
class Signature:
    """What one flow takes: parameter name to annotation, and which have no default."""

    name: str
    types: dict[str, str]
    required: frozenset[str]

    def refuses(self, name: str, value: Any) -> str:
        """Why a YAML value cannot be that parameter, in words; empty when it can.

        A template (`{{ … }}`) is filled in on the server, so it passes as any text would.
        """
        kinds = [part.strip() for part in self.types[name].split("|")]
        if value is None:
            return "" if "None" in kinds or not kinds[0] else "cannot be empty"
        for kind in (kind for kind in kinds if kind != "None"):
            head = kind.split("[")[0]
            if head in ("list", "tuple", "Sequence"):
                if isinstance(value, list):
                    return ""
            elif head not in PLAIN or _is(value, PLAIN[head]):
                return ""
        return f"is {type(value).__name__}, and should be {self.types[name]}"


def signature(root: Path, entrypoint: str) -> Signature | str:
    """The flow at `flows/file.py:function`, or why there is none, in words."""
    file, _, function = entrypoint.partition(":")
    path = root / file
    if not path.is_file():
        return f"there is no file {file}"
    tree = ast.parse(path.read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
            if not any(_is_flow(one) for one in node.decorator_list):
                return f"{function} is not a flow"
            return _signature(node)
    return f"{file} has no function {function}"


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Signature:
    places = [*node.args.posonlyargs, *node.args.args]
    defaults = len(places) - len(node.args.defaults)
    required = {arg.arg for arg in places[:defaults]}
    for arg, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        places.append(arg)
        if default is None:
            required.add(arg.arg)
    types = {a.arg: ast.unparse(a.annotation) if a.annotation else "" for a in places}
    return Signature(node.name, types, frozenset(required))


def _is_flow(node: ast.expr) -> bool:
    target = node.func if isinstance(node, ast.Call) else node
    return isinstance(target, ast.Name) and target.id == "flow"


def _is(value: Any, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
