"""Answers from tables: a cell, a few cells, a row, a comparison, the highest and the lowest."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from advisor import tables
from advisor.tables import Selection
from advisor.types import Draft
from advisor.vocabulary import english
from advisor.words import stems
from advisor.writing import Writing, article, listed, lowered, table

if TYPE_CHECKING:
    from advisor.question import Question

_FEW = 2
"""Up to this many cells are said in sentences; more make a table."""
_MOST_CELLS = 15
_MOST_TABLES = 3


def answerable(found: Sequence[Selection], question: Question, near: Collection[str]) -> list[Selection]:
    """The selections that account for everything the question asks: those that lack least and point most precisely.

    `near` holds the ids of the passages that search found; a selection that points at no cell must be among them.
    """
    if word_for_word := [s for s in found if s.verbatim and not s.unexplained and not s.lacking]:
        most = max(_spoken(s, question) for s in word_for_word)
        return [s for s in word_for_word if _spoken(s, question) == most][:_MOST_TABLES]
    roles = set(question.slots.roles)
    whole = [s for s in found if not s.unexplained and len(s.cells) <= _MOST_CELLS]
    whole = [s for s in whole if not roles or not roles <= set(s.lacking)]
    every = whole
    whole = [s for s in whole if exact([s]) or any(s.table.passages[row].id in near for row in s.rows)]
    if not whole:
        return []
    fewest = min(len(s.lacking) for s in whole)
    whole = [s for s in whole if len(s.lacking) == fewest]
    best = max(_precision(s, question) for s in whole)
    chosen = sorted((s for s in whole if _precision(s, question) == best), key=lambda s: -_said_above(s, question))
    return [*_distinct(chosen)[:_MOST_TABLES], *_bands(chosen[0], every, question)]


def _spoken(selection: Selection, question: Question) -> tuple[bool, float, int]:
    """How much of the table's heading the question says, and how long the names are that it says word for word."""
    held = set(stems(selection.table.heading))
    grid = selection.table
    longest = max(len(stems(f"{grid.rows[r].text} {grid.columns[c].text}")) for r, c in selection.cells)
    return selection.headed, len(held & set(question.terms)) / (len(held) or 1), longest


def _distinct(selections: Sequence[Selection]) -> list[Selection]:
    """Without those that only say again what an earlier one says."""
    kept: dict[tuple[tuple[str, str], ...], Selection] = {}
    for s in selections:
        said = tuple((_subject(s, *cell)[1].casefold(), s.table.value(*cell)) for cell in s.cells)
        kept.setdefault(said, s)
    return list(kept.values())


def _bands(first: Selection, whole: Sequence[Selection], question: Question) -> list[Selection]:
    """Rows of the same guide that spread the asked-for value over levels, for a question that names no level."""
    if question.slots.levels or not exact([first]) or not question.slots.topics:
        return []
    source = first.table.passages[0].source
    return [
        s
        for s in whole
        if s.table.passages[0].source == source
        and s.named_rows != s.named_columns
        and min(len(s.rows), len(s.columns)) == 1
        and sum(bool(label.slots.levels) for label in (*s.table.rows, *s.table.columns)) > 1
    ]


def _precision(selection: Selection, question: Question) -> int:
    """How exactly a selection was asked for: a point for each axis, and for each slot its heading names."""
    return selection.named_rows + selection.named_columns + _said_above(selection, question)


def _said_above(selection: Selection, question: Question) -> int:
    """How many of the levels and regions asked for the table's heading or introduction names."""
    about = selection.table.about.slots
    return sum(len(set(getattr(about, k)) & set(getattr(question.slots, k))) for k in ("levels", "regions"))


def exact(selections: Sequence[Selection]) -> bool:
    """Whether the question points at cells: at a row and at a column."""
    return bool(selections) and all(s.named_rows and s.named_columns for s in selections)


def answer(selections: Sequence[Selection], question: Question, told: Collection[str] = ()) -> Draft:
    """What the selected cells say, as sentences or as a table, each value cited to its cell.

    `told` names what the tables lack and something else tells.
    """
    writing = Writing()
    missing = [name for name in (*_missing(selections), *_other_years(selections, question)) if name not in told]
    if missing:
        writing.add(_not_there(selections, missing))
    ranking = _superlative(selections[0], question)
    if ranking:
        writing.add(_ranking(selections[0], ranking, question.says("least"), writing))
    else:
        few = [s for s in selections if len(s.cells) <= _FEW]
        if sum(len(s.cells) for s in few) > _FEW + 1:
            few = []
        writing.add("\n\n".join(_sentence(s, row, column, writing) for s in few for row, column in s.cells))
        writing.add(*_grids([s for s in selections if s not in few], writing))
    return writing.draft(missing=missing)


def _missing(selections: Sequence[Selection]) -> list[str]:
    """What every selection lacks; where each lacks something else, what the first does."""
    common = set.intersection(*(set(s.lacking) for s in selections))
    return [name for name in selections[0].lacking if name in common] or list(selections[0].lacking)


def _other_years(selections: Sequence[Selection], question: Question) -> list[str]:
    """Years asked about that no selected table, its introduction or its guide's date names."""
    rows = [selection.table.passages[row] for selection in selections for row in selection.rows]
    known = " ".join(f"{row.as_of} {row.intro} {' '.join(row.headings)} {row.text}" for row in rows)
    return [year for year in question.years if year not in known]


def _not_there(selections: Sequence[Selection], missing: Sequence[str]) -> str:
    common = set.intersection(*(set(s.lacking) for s in selections))
    where = "" if common else f" under “{selections[0].table.heading}”"
    names = [f"“{name}”" if any(c.isdigit() for c in name) else name for name in missing]
    return f"The guides have nothing{where} for {listed(names, 'or')}. What they do have:"


def _subject(selection: Selection, row: int, column: int) -> tuple[str, str]:
    """Who a cell is about, and what it says of them."""
    grid = selection.table
    down, across = grid.rows[row], grid.columns[column]
    if down.slots.roles and across.slots.levels:
        return f"{across.text} {down.text}", grid.heading
    if across.slots.roles and down.slots.levels:
        return f"{down.text} {across.text}", grid.heading
    if across.slots.roles:
        return across.text, down.text
    return down.text, across.text


def _sentence(selection: Selection, row: int, column: int, writing: Writing) -> str:
    who, what = _subject(selection, row, column)
    grid = selection.table
    value = f"**{grid.value(row, column)}** {writing.cite(grid.evidence(row, column))}"
    if grid.rows[row].slots.roles or grid.columns[column].slots.roles:
        return f"{what} for {article(who)}: {value}"
    return f"{who}, {lowered(what)}: {value}"


def _grids(selections: Sequence[Selection], writing: Writing) -> list[str]:
    """Selections of one row each and the same columns share a table; the others get one each."""
    if not selections:
        return []
    first = selections[0]
    if len(selections) > 1 and all(len(s.rows) == 1 and _headers(s)[:1] == _headers(first)[:1] for s in selections):
        widest = max(selections, key=lambda s: len(s.columns))
        header = _headers(widest)
        rows = []
        for s in selections:
            cells = {s.table.columns[c].text: _cell(s, s.rows[0], c, writing) for c in s.columns}
            rows.append([s.table.heading, *(cells.get(name, "not in the guide") for name in header)])
        who = first.table.rows[first.rows[0]].text
        return [f"**{who}**, {listed([lowered(s.table.heading) for s in selections])}:", table(["", *header], rows)]
    return [block for s in selections for block in _grid(s, writing)]


def _headers(selection: Selection) -> list[str]:
    return [selection.table.columns[c].text for c in selection.columns]


def _grid(selection: Selection, writing: Writing) -> list[str]:
    grid = selection.table
    corner = grid.passages[0].cells[0][0]
    rows = [[grid.rows[r].text, *(_cell(selection, r, c, writing) for c in selection.columns)] for r in selection.rows]
    return [f"{grid.heading}:", table([corner, *_headers(selection)], rows)]


def _cell(selection: Selection, row: int, column: int, writing: Writing) -> str:
    value = selection.table.value(row, column) or "not in the guide"
    return f"{value} {writing.cite(selection.table.evidence(row, column))}"


def _superlative(selection: Selection, question: Question) -> tuple[bool, int, list[int]] | None:
    """Whether rows are ranked (else columns), the line they are ranked in, and their order, best first."""
    lowest = question.says("least") and not question.says("most")
    if not (lowest or question.says("most")):
        return None
    grid = selection.table
    if len(selection.rows) > 1 and len(selection.columns) == 1:
        values = [grid.value(row, selection.columns[0]) for row in selection.rows]
        order = tables.ranked(values, lowest)
        return (True, selection.columns[0], [selection.rows[i] for i in order]) if len(order) > 1 else None
    if len(selection.columns) > 1 and len(selection.rows) == 1:
        values = [grid.value(selection.rows[0], column) for column in selection.columns]
        order = tables.ranked(values, lowest)
        return (False, selection.rows[0], [selection.columns[i] for i in order]) if len(order) > 1 else None
    return None


def _ranking(selection: Selection, ranking: tuple[bool, int, list[int]], lowest: bool, writing: Writing) -> str:
    by_row, fixed, order = ranking
    grid = selection.table
    cells = [(i, fixed) if by_row else (fixed, i) for i in order]
    names = [(grid.rows if by_row else grid.columns)[i].text for i in order]
    values = [grid.value(row, column) for row, column in cells]
    marked = [f"{n}: {v} {writing.cite(grid.evidence(*c))}" for n, v, c in zip(names, values, cells, strict=True)]
    measure = (grid.columns if by_row else grid.rows)[fixed].text
    best = tables.ends(values[0])
    tied = [name for name, value in zip(names, values, strict=True) if tables.ends(value) == best]
    end = "lower" if lowest else "upper"
    how = f", compared by the {end} end of each range" if best and best[0] != best[1] else ""
    end_of = "lowest" if lowest else "highest"
    label = (grid.columns if by_row else grid.rows)[fixed]
    if label.slots.roles or label.slots.levels:
        first = f"**{listed(tied)}** comes {end_of} under {measure} ({grid.heading}){how}:"
    else:
        verb = "share the" if len(tied) > 1 else "has the"
        first = f"**{listed(tied)}** {verb} {end_of} {lowered(measure)} ({grid.heading}){how}:"
    return "\n".join([first, "", *(f"- {line}" for line in marked)])


def dimensions(grids: Sequence[tables.Table]) -> list[str]:
    """What tables of two roles or more compare them by: row names where roles are columns, else their headers."""
    return list(dict.fromkeys(name for grid in grids for name in _dimensions_of(grid)))


def _dimensions_of(grid: tables.Table) -> dict[str, tuple[bool, int]]:
    """A table's dimensions by name: whether it is a row (else a column), and which."""
    if len({role for label in grid.columns for role in label.slots.roles}) > 1:
        return {label.text: (True, i) for i, label in enumerate(grid.rows)}
    if len({role for label in grid.rows for role in label.slots.roles}) > 1:
        own = {label.text for label in grid.columns}
        several = len(own) > 1 and not any(label.slots.levels for label in grid.columns)
        named = (lambda text: text) if several else (lambda text: f"{grid.heading}, {lowered(text)}")
        return {named(label.text): (False, i) for i, label in enumerate(grid.columns)}
    return {}


def comparison(grids: Sequence[tables.Table], roles: Sequence[str], wanted: Sequence[str] = ()) -> Draft:
    """Roles side by side, one line a dimension; without any named, those of the table that compares these roles."""
    writing = Writing()
    chosen = wanted or _default_dimensions(grids, roles)
    lines = []
    for name in chosen:
        cells = {role: said for grid in grids for role in roles if (said := _role_cell(grid, role, name, writing))}
        if cells:
            lines.append([name, *(cells.get(role, "not in the guide") for role in roles)])
    if not lines:
        return Draft("The guides have no table that compares these.", declined=True, missing=tuple(roles))
    writing.add(table(["", *roles], lines))
    return writing.draft()


def compared(grids: Sequence[tables.Table], roles: Sequence[str]) -> tables.Table | None:
    """The first table that holds all these roles and whose heading says that it compares."""
    says = re.compile(r"\b(?:" + "|".join(english()["sorts"]["compare"]) + r")\b")
    held = (grid for grid in grids if set(roles) <= set(grid.names("roles")))
    return next((grid for grid in held if says.search(grid.heading.casefold())), None)


def _default_dimensions(grids: Sequence[tables.Table], roles: Sequence[str]) -> list[str]:
    """The dimensions of the table that compares these roles; else those that tables share for all of them."""
    if grid := compared(grids, roles):
        return list(_dimensions_of(grid))
    counts: dict[str, set[str]] = {}
    for grid in grids:
        for name in _dimensions_of(grid):
            counts.setdefault(name, set()).update(set(roles) & set(grid.names("roles")))
    return [name for name, found in counts.items() if found >= set(roles)]


def _role_cell(grid: tables.Table, role: str, name: str, writing: Writing) -> str:
    """A role's cell for a dimension of one table; empty when the table has none."""
    by_row, at = _dimensions_of(grid).get(name, (False, -1))
    labels = grid.columns if by_row else grid.rows
    place = next((i for i, label in enumerate(labels) if role in label.slots.roles), None)
    if at < 0 or place is None:
        return ""
    row, column = (at, place) if by_row else (place, at)
    return f"{grid.value(row, column)} {writing.cite(grid.evidence(row, column))}"
