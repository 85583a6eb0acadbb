"""Charts as SVG that follow the reader's light or dark colours, and as PNG on white; a table of counts; a picture in an SVG.

matplotlib (python3-matplotlib) is asked for by the functions that draw curves only.
"""
import base64
import struct
from html import escape

INK, PAPER, FAINT = "#1f2328", "#ffffff", "#d8dee4"  # of the PNG; the SVG has the variables below instead
COLOURS = ("#2f6fd0", "#d9731a", "#2c9456", "#b04ab8")
LINES = ("-", "--", "-.", ":")

STYLE = """<style>
svg { --ink: #1f2328; --paper: #ffffff; --faint: #d8dee4; color: var(--ink); background: var(--paper); }
@media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --paper: #0d1117; --faint: #3d444d; } }
</style>"""


def adaptive(svg):
    """matplotlib's SVG with our three neutral colours as variables."""
    for colour, name in ((INK, "var(--ink)"), (PAPER, "var(--paper)"), (FAINT, "var(--faint)")):
        svg = svg.replace(colour, name)
    end = svg.index(">", svg.index("<svg")) + 1
    return svg[:end] + STYLE + svg[end:]


def axes_of(columns, width):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    pyplot.rcParams.update({
        "svg.fonttype": "none", "svg.hashsalt": "latentd", "font.family": "sans-serif", "font.size": 10, "text.color": INK,
        "axes.edgecolor": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "figure.facecolor": PAPER,
        "axes.facecolor": PAPER, "savefig.facecolor": PAPER, "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "grid.color": FAINT, "legend.frameon": False, "lines.linewidth": 1.8})
    figure, axes = pyplot.subplots(1, columns, figsize=(width, 3.6), squeeze=False)
    return pyplot, figure, axes[0]


def save(pyplot, figure, path):
    import io
    figure.tight_layout()
    figure.savefig(path + ".png", dpi=144)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    with open(path + ".svg", "w") as file:
        file.write(adaptive(text.getvalue()))


def curves(path, panels):
    """panels, side by side: (title, x label, y label, logarithmic, [(name, xs, ys)], and perhaps [(name, y)], levels to compare
    with)."""
    pyplot, figure, axes = axes_of(len(panels), 5.2 * len(panels) + 0.8)
    for ax, (title, x_label, y_label, log, lines, *levels) in zip(axes, panels):
        for i, (name, xs, ys) in enumerate(lines):
            mark = {"marker": "o"} if len(xs) == 1 else {}
            ax.plot(xs, ys, LINES[i % len(LINES)], color=COLOURS[i % len(COLOURS)], label=name, **mark)
        for i, (name, level) in enumerate(levels[0] if levels else ()):
            ax.axhline(level, color=COLOURS[i % len(COLOURS)], linestyle=":", linewidth=1)
            ax.annotate(name, (1, level), xycoords=("axes fraction", "data"), xytext=(-2, 2), textcoords="offset points",
                        ha="right", va="bottom", fontsize=8, color=COLOURS[i % len(COLOURS)])
        ax.set(title=title, xlabel=x_label, ylabel=y_label)
        if log:
            ax.set_yscale("log")
        if x_label == "epoch":
            ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
    save(pyplot, figure, path)


def counts_svg(path, labels, matrix):
    """Rows: true classes, columns: predicted ones; coloured by the share of the row."""
    cell, left, top = 46, 120, 96
    n = len(labels)
    size = left + n * cell + 64, top + n * cell + 34
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" width="{size[0]}" height="{size[1]}" '
           f'font-family="sans-serif" font-size="13" role="img">{STYLE}']
    for i, label in enumerate(labels):
        at = i * cell + cell // 2
        out.append(f'<text x="{left - 8}" y="{top + at + 4}" text-anchor="end" fill="currentColor">{escape(label)}</text>')
        out.append(f'<text transform="translate({left + at + 4} {top - 8}) rotate(-45)" fill="currentColor">'
                   f'{escape(label)}</text>')
    for i, row in enumerate(matrix):
        for j, count in enumerate(row):
            share = count / max(sum(row), 1)
            x, y = left + j * cell, top + i * cell
            ink = "#ffffff" if share > 0.5 else "currentColor"
            out.append(f'<rect x="{x}" y="{y}" width="{cell - 1}" height="{cell - 1}" fill="{COLOURS[0]}" '
                       f'fill-opacity="{0.04 + 0.96 * share:.3f}"><title>{escape(labels[i])} taken for {escape(labels[j])}: '
                       f'{count} ({share:.1%})</title></rect>')
            out.append(f'<text x="{x + cell / 2 - .5}" y="{y + cell / 2 + 4}" text-anchor="middle" fill="{ink}">{count}</text>')
    out.append(f'<text x="{left}" y="{size[1] - 10}" fill="currentColor">rows: true class; columns: predicted</text></svg>\n')
    with open(path, "w") as file:
        file.write("\n".join(out))


def picture_svg(path, png, title, scale, pixelated=True):
    """A PNG in an SVG, its pixels kept square (or smoothed)."""
    width, height = struct.unpack(">II", png[16:24])
    data, rendering = base64.b64encode(png).decode(), "pixelated" if pixelated else "auto"
    with open(path, "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width * scale}" '
                   f'height="{height * scale}" role="img"><title>{escape(title)}</title><image width="{width}" '
                   f'height="{height}" style="image-rendering:{rendering}" href="data:image/png;base64,{data}"/></svg>\n')
