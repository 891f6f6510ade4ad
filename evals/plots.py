"""Small SVG plots as text, readable in light and dark; each has a title for screen readers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

WIDTH = 720
_LEFT = 190
_RIGHT = 64


def bars(title: str, rows: Sequence[tuple[str, float, float, float, str]], top: float = 1.0) -> str:
    """Horizontal bars with intervals; a row is (label, value, low, high, note), all below `top`."""
    scale = (WIDTH - _LEFT - _RIGHT) / (top or 1)
    drawn = []
    for position, (label, value, low, high, note) in enumerate(rows):
        y = 14 + position * 24
        drawn.append(
            f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(label)}</text>'
            f'<rect class="bar" x="{_LEFT}" y="{y - 7}" width="{max(0.0, value) * scale:.1f}" height="14"/>'
            f'<line class="interval" x1="{_LEFT + low * scale:.1f}" x2="{_LEFT + high * scale:.1f}" y1="{y}" y2="{y}"/>'
            f'<text x="{WIDTH - _RIGHT + 6}" y="{y + 4}">{escape(note)}</text>'
        )
    return _svg(title, "".join(drawn), 14 + len(rows) * 24)


def curve(
    title: str,
    points: Sequence[tuple[float, float]],
    labels: tuple[str, str],
    marked: tuple[float, float, str] | None = None,
) -> str:
    """A line through points with both axes from 0 to 1, and one point marked."""
    size, left, top = 300, 60, 12

    def at(x: float, y: float) -> str:
        return f"{left + x * size:.1f},{top + (1 - y) * size:.1f}"

    path = " ".join(at(x, y) for x, y in points)
    body = "".join(
        f'<line class="grid" x1="{left}" x2="{left + size}" '
        f'y1="{top + size * (1 - n / 4)}" y2="{top + size * (1 - n / 4)}"/>'
        f'<text x="{left - 6}" y="{top + size * (1 - n / 4) + 4}" text-anchor="end">{n / 4:.0%}</text>'
        f'<text x="{left + size * n / 4}" y="{top + size + 16}" text-anchor="middle">{n / 4:.0%}</text>'
        for n in range(5)
    )
    body += f'<polyline class="line" points="{path}"/>'
    if marked:
        x, y = at(marked[0], marked[1]).split(",")
        body += f'<circle class="point" cx="{x}" cy="{y}" r="5"/>'
        body += f'<text x="{float(x) + 9:.1f}" y="{float(y) - 6:.1f}">{escape(marked[2])}</text>'
    body += f'<text x="{left + size / 2}" y="{top + size + 34}" text-anchor="middle">{escape(labels[0])}</text>'
    body += f'<text x="{left + size + 14}" y="{top + 10}">{escape(labels[1])} (upwards)</text>'
    return _svg(title, body, top + size + 42)


def histogram(title: str, values: Iterable[float], unit: str, bins: int = 30) -> str:
    """How often values fall into equal bins between 0 and their 99th percentile; the rest in the last one."""
    ordered = sorted(values)
    if not ordered:
        return ""
    edge = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))] or 1.0
    counts = [0] * bins
    for value in ordered:
        counts[min(bins - 1, int(value / edge * bins))] += 1
    width, height, left = (WIDTH - 80) / bins, 120, 50
    body = "".join(
        f'<rect class="bar" x="{left + n * width:.1f}" y="{10 + height * (1 - count / max(counts)):.1f}" '
        f'width="{width - 1:.1f}" height="{height * count / max(counts):.1f}"/>'
        for n, count in enumerate(counts)
    )
    body += "".join(
        f'<text x="{left + (WIDTH - 80) * n / 4:.1f}" y="{height + 28}" text-anchor="middle">'
        f"{edge * n / 4:.3g} {escape(unit)}</text>"
        for n in range(5)
    )
    return _svg(title, body, height + 36)


def _svg(title: str, body: str, height: float) -> str:
    return (
        f'<figure><svg role="img" viewBox="0 0 {WIDTH} {height:.0f}" width="100%">'
        f"<title>{escape(title)}</title>{body}</svg>"
        f"<figcaption>{escape(title)}</figcaption></figure>"
    )
