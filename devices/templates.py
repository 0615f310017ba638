"""Home Assistant's value and command templates, from announcements that anybody on the broker can send.

Two fences: only the syntax listed here is accepted, which has no loops, no macros and no way to make something large
out of something small; and what is accepted runs in Jinja's immutable sandbox. A template with anything else is
``UnsupportedTemplate``. What a template cannot find, or replaces by a number of its own (``float(0)``,
``default(0)``), is unknown: a value is never invented.
"""

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError, Undefined, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_TEMPLATE_CHARACTERS = 2000
MAX_NODES = 400
MAX_DEPTH = 40
MAX_RESULT_CHARACTERS = 65_536
MAX_PRECISION = 10
_LARGEST_INTEGER = 2**63

_PLAIN_VALUE = re.compile(r"\{\{-?\s*value\s*-?\}\}")
_PATH = re.compile(
    r"\{\{-?\s*value_json((?:\.[A-Za-z][A-Za-z0-9_]*|\[\s*(?:'[^'\\]*'|\"[^\"\\]*\"|\d{1,6})\s*\])+)\s*-?\}\}"
)
_STEP = re.compile(r"\.([A-Za-z][A-Za-z0-9_]*)|\[\s*(?:'([^'\\]*)'|\"([^\"\\]*)\"|(\d{1,6}))\s*\]")

_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.Filter,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.CondExpr,
    nodes.If,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Neg,
    nodes.Pos,
    nodes.Concat,
    nodes.List,
    nodes.Tuple,
    nodes.Dict,
    nodes.Pair,
    nodes.Keyword,
    nodes.Call,
    nodes.Assign,
)
_METHODS = frozenset({"get", "keys", "values", "lower", "upper", "strip", "split", "startswith", "endswith", "title"})
_TESTS = frozenset({"defined", "undefined", "none", "number", "string", "mapping", "boolean", "true", "false"}) | {
    *("in", "eq", "equalto", "ne", "gt", "ge", "lt", "le", "==", "!=", ">", ">=", "<", "<=", "odd", "even"),
    *("integer", "float"),
}


class UnsupportedTemplate(ValueError):
    """A template uses what is not supported; the message names it."""


class _Unknown(Exception):
    """A template found nothing to say."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, in which ``*``, ``+`` and ``%`` are for numbers: they repeat and format text otherwise."""

    intercepted_binops = frozenset({"*", "+", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """One of the intercepted operators, on numbers; ``+`` also joins texts."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return left + right
        return super().call_binop(context, operator, _as_number(left), _as_number(right))


class Template:
    """A compiled template; ``render`` gives text, or None for unknown."""

    def __init__(self, text: str) -> None:
        self.needs_json = "value_json" in text
        self._render = _plain(text) or _compiled(text)

    def render(self, value: object, value_json: object = None) -> str | None:
        """The text that the template makes of a payload, stripped; None where it makes none."""
        try:
            result = self._render(value, value_json)
        except (_Unknown, TemplateError, ArithmeticError, ValueError, TypeError, LookupError, AttributeError):
            return None
        return None if result is None or len(result) > MAX_RESULT_CHARACTERS else result.strip()


@lru_cache(maxsize=2048)
def compile_template(text: str) -> Template:
    """The template of a text.

    Raises
    ------
    UnsupportedTemplate
        It is too long, is no template, or uses what is not supported.
    """
    return Template(text)


def _plain(text: str) -> Callable[[object, object], str | None] | None:
    """A function for the two commonest templates, 50 times as fast as Jinja; None for others."""
    text = text.strip()
    if _PLAIN_VALUE.fullmatch(text):
        return lambda value, value_json: str(value)
    path = _PATH.fullmatch(text) if len(text) <= MAX_TEMPLATE_CHARACTERS else None
    if path is None:
        return None
    steps: tuple[Any, ...] = tuple(  # names and indices
        int(found[4]) if found[4] else next(part for part in found.groups() if part is not None)
        for found in _STEP.finditer(path[1])
    )

    def follow(value: object, value_json: object) -> str | None:
        here: Any = value_json
        for step in steps:
            if not isinstance(here, dict | list):
                return None
            here = here[step]
        return None if here is None else str(here)

    return follow


def _compiled(text: str) -> Callable[[object, object], str | None]:
    if len(text) > MAX_TEMPLATE_CHARACTERS:
        raise UnsupportedTemplate(f"template of {len(text)} characters, at most {MAX_TEMPLATE_CHARACTERS} are read")
    try:
        tree = _SANDBOX.parse(text)
        _Checker().check(tree)
        template = _SANDBOX.from_string(text)
    except UnsupportedTemplate:
        raise
    except (TemplateError, SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise UnsupportedTemplate(f"template cannot be read: {type(error).__name__}") from error
    return lambda value, value_json: template.render(value=value, value_json=value_json)


class _Checker:
    """Walks a template's tree and refuses what is not on the lists."""

    def __init__(self) -> None:
        self._names = {"value", "value_json"}
        self._assigned: set[str] = set()
        self._count = 0

    def check(self, node: nodes.Node, depth: int = 0) -> None:
        """Refuse a tree that holds anything unknown.

        Raises
        ------
        UnsupportedTemplate
            It does.
        """
        self._count += 1
        if self._count > MAX_NODES or depth > MAX_DEPTH:
            raise UnsupportedTemplate("template is too large")
        if not isinstance(node, _NODES):
            raise UnsupportedTemplate(f"template uses {type(node).__name__.lower()}")
        self._check_words(node)
        if isinstance(node, nodes.Assign):
            self._check_assignment(node, depth)
            return
        for child in node.iter_child_nodes():
            if not (isinstance(node, nodes.Call) and child is node.node):
                self.check(child, depth + 1)
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
            self.check(node.node.node, depth + 1)

    def _check_words(self, node: nodes.Node) -> None:
        match node:
            case nodes.Name(name=name) if name not in self._names:
                raise UnsupportedTemplate(f"template uses the name {name!r:.40}")
            case nodes.Getattr(attr=name) if name.startswith("_"):
                raise UnsupportedTemplate(f"template uses the attribute {name!r:.40}")
            case nodes.Filter(name=name) if name not in _FILTERS:
                raise UnsupportedTemplate(f"template uses the filter {name!r:.40}")
            case nodes.Test(name=name) if name not in _TESTS:
                raise UnsupportedTemplate(f"template uses the test {name!r:.40}")
            case nodes.Call():
                self._check_call(node)

    def _check_call(self, node: nodes.Call) -> None:
        called = node.node
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise UnsupportedTemplate("template unpacks arguments")
        if isinstance(called, nodes.Getattr) and called.attr in _METHODS:
            return
        if isinstance(called, nodes.Name) and called.name in _FUNCTIONS:
            return
        raise UnsupportedTemplate("template calls a function that is not supported")

    def _check_assignment(self, node: nodes.Assign, depth: int) -> None:
        """One name is set to something that uses no name set before: else few lines could double without end."""
        if not isinstance(node.target, nodes.Name):
            raise UnsupportedTemplate("template sets more than a name")
        used = {name.name for name in node.node.find_all(nodes.Name)}
        if isinstance(node.node, nodes.Name):
            used.add(node.node.name)
        if used & self._assigned or node.target.name in {"value", "value_json", *_FUNCTIONS}:
            raise UnsupportedTemplate("template sets a name from another that it set")
        self.check(node.node, depth + 1)
        self._assigned.add(node.target.name)
        self._names.add(node.target.name)


def _as_number(value: object) -> float | int:
    if isinstance(value, bool | int | float):
        return value if abs(value) < _LARGEST_INTEGER else float(value)
    raise _Unknown


def _float(value: object, default: object = None) -> float:
    """A finite number, or unknown: a number given as the fallback would be an invention."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Unknown
    result = float(value)
    if not math.isfinite(result):
        raise _Unknown
    return result


def _int(value: object, default: object = None) -> int:
    return int(_float(value))


def _round(value: object, precision: object = 0, method: object = "common", default: object = None) -> float | int:
    told = _float(value)
    if not isinstance(precision, int) or not 0 <= precision <= MAX_PRECISION:
        raise _Unknown
    if method in ("ceil", "floor"):
        scale: int = 10**precision
        rounded = (math.ceil(told * scale) if method == "ceil" else math.floor(told * scale)) / scale
    else:
        rounded = round(told, precision)
    return int(rounded) if precision == 0 else rounded


def _default(value: object, fallback: object = "", boolean: object = False) -> object:
    """Another field or a word in place of what is missing; a number in its place is unknown."""
    if not isinstance(value, Undefined) and value is not None and (value or not boolean):
        return value
    if isinstance(fallback, Undefined) or fallback is None:
        raise _Unknown
    try:
        float(fallback)  # type: ignore[arg-type]  # whatever it is
    except (ValueError, TypeError):
        return fallback
    raise _Unknown


def _replace(value: object, old: object, new: object) -> str:
    text, old_text, new_text = str(value), str(old), str(new)
    if not old_text or len(text) + text.count(old_text) * len(new_text) > MAX_RESULT_CHARACTERS:
        raise _Unknown
    return text.replace(old_text, new_text)


def _iif(value: object, if_true: object = True, if_false: object = False, if_none: object = None) -> object:
    return if_none if value is None else if_true if value else if_false


def _is_number(value: object) -> bool:
    try:
        _float(value)
    except (_Unknown, ValueError):
        return False
    return True


def _bool(value: object, default: object = None) -> bool:
    known = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}
    word = str(value).strip().lower()
    if word not in known:
        raise _Unknown
    return known[word]


def _multiply(value: object, by: object, default: object = None) -> float:
    return _float(value) * _float(by)


def _add(value: object, amount: object, default: object = None) -> float:
    return _float(value) + _float(amount)


_FUNCTIONS: dict[str, Callable[..., object]] = {
    "float": _float,
    "int": _int,
    "bool": _bool,
    "iif": _iif,
    "is_number": _is_number,
}
_OWN_FILTERS: dict[str, Callable[..., object]] = _FUNCTIONS | {
    "round": _round,
    "default": _default,
    "d": _default,
    "replace": _replace,
    "multiply": _multiply,
    "add": _add,
}
_FILTERS = frozenset(_OWN_FILTERS) | {"lower", "upper", "trim", "abs", "length", "first", "last", "string", "title"}

_SANDBOX = _Sandbox(autoescape=False)
_SANDBOX.filters = {name: _SANDBOX.filters[name] for name in _FILTERS - set(_OWN_FILTERS)} | _OWN_FILTERS
_SANDBOX.globals.clear()
_SANDBOX.globals.update(_FUNCTIONS)
