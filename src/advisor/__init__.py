"""Career questions answered with citations from guides you can open and check.

from advisor import Advisor, Turn

answer = Advisor.open().ask("senior ai eng salary?")
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from advisor.errors import AdvisorError
from advisor.types import Answer, Citation, Guide, Hit, Passage, Turn

if TYPE_CHECKING:
    from advisor.chat import Advisor
    from advisor.settings import Settings

# ONNX Runtime sends events about its use to its maker unless this is set before it is loaded, by whomever.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
__all__ = [
    "Advisor",
    "AdvisorError",
    "Answer",
    "Citation",
    "Guide",
    "Hit",
    "Passage",
    "Settings",
    "Turn",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """`Advisor` and `Settings` are imported when they are first used, so that `import advisor` is instant."""
    if name == "Advisor":
        from advisor.chat import Advisor

        return Advisor
    if name == "Settings":
        from advisor.settings import Settings

        return Settings
    raise AttributeError(f"module 'advisor' has no attribute {name!r}")
