"""Small SVG plots as text, readable in light and dark; each has a title for screen readers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil, floor, log10

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


def growth(title: str, lines: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> str:
    """Lines over two logarithmic axes, each named at its end, as a file that stands alone in light and dark."""
    every = [point for _, points in lines for point in points]
    left, top, width, height = 60, 16, 430, 300
    scales = [_decades([value for value in column if value > 0]) for column in zip(*every, strict=True)]

    def at(point: tuple[float, float]) -> tuple[float, float]:
        x, y = ((log10(max(v, 10**low)) - low) / (high - low) for v, (low, high) in zip(point, scales, strict=True))
        return left + x * width, top + (1 - y) * height

    (first, last), (low, high) = scales
    body = "".join(
        f'<line class="grid" x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{10**n:,g}</text>'
        for n in range(low, high + 1)
        for y in (at((10**first, 10**n))[1],)
    )
    body += "".join(
        f'<text x="{at((10**n, 10**low))[0]:.1f}" y="{top + height + 18}" text-anchor="middle">{10**n:,g}</text>'
        for n in range(first, last + 1)
    )
    taken: list[float] = []
    for number, (name, points) in enumerate(lines):
        drawn = [at(point) for point in points]
        x, y = drawn[-1]
        while any(abs(y - other) < 15 for other in taken):
            y += 1
        taken.append(y)
        body += f'<polyline class="l{number % 6}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in drawn)}"/>'
        body += "".join(f'<circle class="l{number % 6}" cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in drawn)
        body += f'<text x="{max(x, left + width) + 10:.1f}" y="{y + 4:.1f}">{escape(name)}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {top + height + 30}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>{body}</svg>\n"
    )


_COLOURS = ("#b3261e", "#1f6feb", "#2a7a3b", "#9a6700", "#8250df", "#57606a")
_STYLE = (
    "text{font:13px sans-serif;fill:#57606a}.grid{stroke:#8886;stroke-width:1}polyline{fill:none;stroke-width:2}"
    + "".join(f"polyline.l{n}{{stroke:{c}}}circle.l{n}{{fill:{c}}}" for n, c in enumerate(_COLOURS))
    + "@media(prefers-color-scheme:dark){text{fill:#b1bac4}}"
)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten that hold all values between them."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return low, max(high, low + 1)
