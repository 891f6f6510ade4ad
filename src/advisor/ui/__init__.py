"""The page: a chat about the guides, the cited words beside it. `serve` starts it, `application` is its ASGI app."""

from advisor.ui.server import application, serve

__all__ = ["application", "serve"]
