"""Bring the index up to date with the guides: `python ingest.py`."""

import sys

from advisor.__main__ import ingest

if __name__ == "__main__":
    sys.exit(ingest(sys.argv[1:]))
