"""Make small changes in source code that tests should detect."""

from __future__ import annotations

import ast
import copy
from collections import defaultdict
from dataclasses import dataclass, field

OPPOSITE = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
BOUNDARY = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
SWAPPED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
SMALL = 3  # integers up to 3 change by 1, larger integers by a factor of 2
TINY = 1e-6  # smaller numbers are not changed: they only prevent divisions by zero
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
UNCHANGED = (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom)
UNCHANGED_FIELDS = ("annotation", "returns", "decorator_list")


@dataclass(frozen=True)
class Mutant:
    """A replacement of the bytes of a file from start to end.

    `concerns` contains the affected lines of functions as (file, line). These are the changed lines
    or, for a definition outside of functions, the lines that use its name.
    """

    file: str
    line: int
    change: str
    start: int = field(repr=False)
    end: int = field(repr=False)
    text: bytes = field(repr=False)
    concerns: frozenset = field(repr=False)

    def applied(self, content):
        return content[: self.start] + self.text + content[self.end :]


def choose(root, files, n, rng):
    """Draw random mutants of at most `n` lines of the given files; `root` contains the package."""
    nodes = {path: _nodes(path, root) for path in sorted((root / "skdigits").rglob("*.py"))}
    lines = defaultdict(list)
    for path in files:
        for found in nodes[path]:
            lines[path, found[0].lineno] += [(*found, new) for new in _changes(found[0])]
    lines = {place: changes for place, changes in lines.items() if changes}
    uses = defaultdict(list)
    for node, concerned, names in (found for some in nodes.values() for found in some):
        if isinstance(node, (ast.Name, ast.Attribute)):
            uses[getattr(node, "id", None) or node.attr].append((concerned, names))
    chosen = []
    for path, line in rng.sample(sorted(lines), min(n, len(lines))):
        node, concerned, names, new = rng.choice(lines[path, line])
        concerned = frozenset(concerned | _users(names, uses))
        chosen.append(_mutant(path, root, node, new, concerned))
    return chosen


def _mutant(path, root, node, new, concerned):
    starts = [0]
    for line in path.read_bytes().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    before, after = ast.unparse(node), ast.unparse(new)
    return Mutant(
        file=str(path.relative_to(root)),
        line=node.lineno,
        change=f"{before} → {after}",
        start=starts[node.lineno - 1] + node.col_offset,
        end=starts[node.end_lineno - 1] + node.end_col_offset,
        text=after.encode(),
        concerns=concerned,
    )


def _users(names, uses):
    """Find the lines of functions that use one of the names, directly or through other names."""
    lines, seen, left = set(), set(), set(names)
    while left:
        name = left.pop()
        seen.add(name)
        for used_in, defines in uses[name]:
            lines |= used_in
            left |= defines - seen
    return lines


def _nodes(path, root):
    """List the nodes of a file, each with the lines that it affects and the names that it defines.

    The default of a parameter affects all lines of its function.
    """
    name, found = str(path.relative_to(root)), []

    def numbers(node):
        return {(name, line) for line in range(node.lineno, node.end_lineno + 1)}

    def visit(node, lines, names, in_function):
        if isinstance(node, UNCHANGED) or _is_for_types_alone(node) or _is_strict(node):
            return
        if isinstance(node, FUNCTION):
            lines = set().union(*map(numbers, node.body))
        elif isinstance(node, ast.stmt):
            is_simple = not hasattr(node, "body")
            lines = numbers(node) if in_function and is_simple else None
            names = _defined(node) if is_simple and not in_function else set()
        if hasattr(node, "lineno"):
            own = numbers(node) if lines is None and in_function else lines or set()
            found.append((node, own, names))
        for field_name, value in ast.iter_fields(node):
            if field_name not in UNCHANGED_FIELDS:
                inside = in_function or (isinstance(node, FUNCTION) and field_name == "body")
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        visit(child, lines, names, inside)

    visit(ast.parse(path.read_bytes()), None, set(), False)
    return found


def _is_strict(node):
    return isinstance(node, ast.keyword) and node.arg == "strict"  # zip(strict=...) only checks


def _is_for_types_alone(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _defined(statement):
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    nodes = [node for target in targets if target for node in ast.walk(target)]
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def _changes(node):
    """Return the possible replacements of a node."""
    if isinstance(node, ast.Constant):
        return [ast.Constant(value) for value in _other_values(node.value)]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return [ast.Pass()]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        return [node.operand]
    if isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(node.op) in SWAPPED:
        return [_with(node, op=SWAPPED[type(node.op)]())]
    if isinstance(node, ast.Compare):
        first = type(node.ops[0])
        others = [OPPOSITE[first]]
        # Floats are rarely equal, so exchanging < and <= has no effect on them.
        if first in BOUNDARY and any(map(_is_whole, (node.left, node.comparators[0]))):
            others.append(BOUNDARY[first])
        return [_with(node, ops=[other(), *node.ops[1:]]) for other in others]
    return []


def _other_values(value):
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1] if value <= SMALL else [value * 2, value // 2]
    if isinstance(value, float) and TINY < value < float("inf"):
        return [float(f"{value * 3:.3g}"), float(f"{value / 3:.3g}")]
    return []


def _is_whole(node):
    is_length = isinstance(node, ast.Call) and getattr(node.func, "id", None) == "len"
    return is_length or (isinstance(node, ast.Constant) and type(node.value) is int)


def _with(node, **values):
    new = copy.copy(node)
    for name, value in values.items():
        setattr(new, name, value)
    return new
