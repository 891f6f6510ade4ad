"""Starts the page: `python app.py`, then open the address it prints. Settings come from the environment (README)."""

from __future__ import annotations

import argparse
import sys


def main(arguments: list[str] | None = None) -> int:
    """Serve the page until interrupted; 2 when a setting cannot be used."""
    parser = argparse.ArgumentParser(prog="app.py", description=__doc__)
    parser.add_argument("--host", help="address to listen on (ADVISOR_HOST, 127.0.0.1)")
    parser.add_argument("--port", help="port to listen on, 0 for any free one (ADVISOR_PORT, 7860)")
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    from advisor.errors import AdvisorError
    from advisor.settings import Settings
    from advisor.ui import serve

    try:
        serve(Settings.read(**given))
    except AdvisorError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
