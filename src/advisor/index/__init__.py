"""Passages in, vectors stored in Chroma: built beside the index in use, swapped in whole, rebuilt when in doubt.

A version of the index is a folder of its own (or, on a Chroma server, a pair of collections). One small file there (one
small collection) names the version in use and is written as the last step, so that whatever interrupts a build leaves
the old index answering. Vectors of text that did not change are taken over, not made anew.
"""

from advisor.index.building import Summary, bar, complete, exists, first, fresh, ingest, writer
from advisor.index.opened import Index

__all__ = ["Index", "Summary", "bar", "complete", "exists", "first", "fresh", "ingest", "writer"]
