"""Run inside a network namespace without routes: ingest, ask, evaluate and use the page, and count what tried to leave.

`unshare --net python -m tests.airgap plan.json`. The kernel counts every packet that had nowhere to go, whatever
process it came from and however it was sent; an audit hook in each Python process names the address besides.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.browsing import ROOT, serving

QUESTION = "what does a senior ML engineer earn remotely?"
STEP = 240
"""Seconds a step may take on a busy machine."""
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1


def raise_loopback() -> None:
    """Switch `lo` on; a fresh namespace has it switched off."""
    with socket.socket() as handle:
        asked = struct.pack("16sh", b"lo", 0) + b"\0" * 22
        flags = struct.unpack("16sh", fcntl.ioctl(handle, _GET_FLAGS, asked)[:18])[1]
        fcntl.ioctl(handle, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _UP) + b"\0" * 22)


def nowhere_to_go() -> int:
    """How often something in this namespace wanted to send beyond it."""
    lines = [line.split() for line in Path("/proc/self/net/snmp").read_text().splitlines() if line.startswith("Ip:")]
    old = int(dict(zip(*lines, strict=True))["OutNoRoutes"])
    six = dict(line.split() for line in Path("/proc/self/net/snmp6").read_text().splitlines())
    return old + int(six["Ip6OutNoRoutes"])


def control() -> int:
    """Three deliberate attempts to leave, by address, by datagram and by name; how many of them the kernel counted."""
    before = nowhere_to_go()
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as handle:
            assert handle.connect_ex(("192.0.2.1", 9)) != 0
    try:
        socket.getaddrinfo("a.name.that.is.not.example.com", 80)
    except OSError:
        return nowhere_to_go() - before
    raise AssertionError("a name was resolved: this namespace is not closed")


def page(plan: dict[str, Any], home: Path) -> dict[str, Any]:
    """Ask the running page through its own HTTP, through the API, and in a browser where there is one."""
    import httpx

    from evals.visitors import Door

    async def visited(address: str) -> str:
        async with Door(address) as door, door.tab() as session:
            await door.event("load", ["{}"], session)
            done = await door.event("ask", [QUESTION, None, None], session)
            return str(json.loads(done[-1])["keep"]["exchanges"][0]["text"])

    with serving(home, Path(plan["corpus"]), Path(plan["index"])) as served:
        while httpx.get(f"{served.address}healthz", timeout=60).json()["status"] == "loading":
            time.sleep(0.1)
        said = asyncio.run(visited(served.address))
        over = httpx.post(f"{served.address}api/ask", json={"question": QUESTION}, timeout=60).json()["text"]
        counted = nowhere_to_go()
        return {"page": said, "api": over, "counted": counted, "browser": browsed(served) if plan["browser"] else ""}


def browsed(served: Any) -> str:
    """The answer as a visitor reads it in a real browser."""
    from playwright.sync_api import sync_playwright

    from tests.browsing import CHROMIUM, FLAGS, ask, opened, visiting

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with visiting(browser) as context:
            tab = opened(context, served)
            ask(tab, QUESTION)
            return tab.get_by_role("article").inner_text()


def main() -> None:
    """Do what the plan says, and print what came of it as JSON."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    raise_loopback()
    done: dict[str, Any] = {"control": control(), "steps": {}}
    for name, step in plan["steps"].items():
        before = nowhere_to_go()
        ran = subprocess.run(
            [sys.executable, *step["command"]],
            cwd=ROOT,
            env=os.environ | step["environment"],
            capture_output=True,
            text=True,
            check=False,
            timeout=STEP,
        )
        said = {"status": ran.returncode, "out": ran.stdout, "err": ran.stderr[-3000:]}
        done["steps"][name] = said | {"attempts": nowhere_to_go() - before}
    before = nowhere_to_go()
    done |= page(plan, Path(plan["home"]))
    done["attempts"] = done.pop("counted") - before
    print(json.dumps(done))


if __name__ == "__main__":
    main()
