"""Markers, quotes, cells and the number guard: what a draft must pass before a reader sees it.

blocks       a draft cut into blocks, cells and sentences
figures      money, percentages, durations, counts in running text
scope        whom a figure is about: role, level, region
support      whether a passage's words carry a sentence, and which
markup       no HTML, images or foreign links
carrying     which evidence carries a sentence
attribution  whether it says a line of another role, or only gives the question back
binding      all of it together: `bind`, and `Binder` for a growing draft
"""

from advisor.citations.binding import LEFT_OUT, NO_CELL, NOT_FOUND, Binder, Bound, Removal, bind
from advisor.citations.figures import Figure, figures

__all__ = ["LEFT_OUT", "NOT_FOUND", "NO_CELL", "Binder", "Bound", "Figure", "Removal", "bind", "figures"]
