"""Blocks of text, tables and figures as a page and as Markdown.

A block is ("heading", text), ("text", text), ("table", head, rows), ("list", items) or ("figure", a figure of
figures.draw_all). In text, `x` is code and **x** strong, as in Markdown; a cell may be (text, good) with good True, False or
None, which the page colours.
"""
import re
from html import escape

STYLE = """
:root { --ink: #1f2328; --dim: #59636e; --paper: #fff; --card: #f6f8fa; --line: #d8dee4; --good: #1a7f37; --bad: #b3261e;
  --link: #0958c4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9aa4ae; --paper: #0d1117; --card: #161b22;
  --line: #30363d; --good: #4ac26b; --bad: #ff8a80; --link: #6cb0ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; font: 16px/1.55 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
h1 { line-height: 1.2; margin: 0 0 .5rem; } h2 { margin: 2.6rem 0 .6rem; border-bottom: 1px solid var(--line); }
a { color: var(--link); } code { font: .9em ui-monospace, monospace; background: var(--card);
  padding: .1em .3em; border-radius: 4px; }
nav { margin: 1rem 0; columns: 16rem; } nav a { display: block; }
.banner { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--link); padding: .6rem 1rem;
  border-radius: 6px; }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: .8rem 0; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem; border-bottom: 1px solid var(--line); }
th { background: var(--card); } td.good { color: var(--good); font-weight: 600; } td.bad { color: var(--bad); font-weight: 600; }
td { font-variant-numeric: tabular-nums; }
figure { margin: 1.6rem 0; padding: 1rem; border: 1px solid var(--line); border-radius: 8px; }
figure .parts { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
figure .part { flex: 1 1 20rem; max-width: 100%; } figure img { max-width: 100%; height: auto; image-rendering: pixelated; }
figcaption { margin-top: .6rem; } .dim, .files { color: var(--dim); font-size: .88rem; } .why { color: var(--bad); }
"""


def inline(text):
    text = escape(text)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)


def anchor(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def html_cell(cell):
    text, good = cell if isinstance(cell, tuple) else (cell, None)
    mark = {True: ' class="good"', False: ' class="bad"', None: ""}[good]
    return f"<td{mark}>{inline(text)}</td>"


def html_table(head, rows):
    top = "".join(f"<th>{inline(cell)}</th>" for cell in head)
    body = "\n".join("<tr>" + "".join(map(html_cell, row)) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def html_part(part, caption):
    out = ['<div class="part">']
    for file in part["files"]:
        out.append(f'<img src="{file}.svg" alt="{escape(caption)}" loading="lazy">')
    if part["words"]:
        out.append(f"<div>{inline(part['words'])}</div>")
    if part["why"]:
        out.append(f'<div class="why">None: {inline(part["why"])}</div>')
    for file in part["files"]:
        out.append(f'<div class="files"><a href="{file}.png">PNG</a> · <a href="{file}.svg">SVG</a></div>')
    return "".join(out) + "</div>"


def html_figure(figure):
    title = f"Figure {figure['number']}: {figure['caption']}"
    parts = "\n".join(html_part(part, title) for part in figure["parts"])
    note = f'<div class="dim">{inline(figure["note"])}</div>' if figure["note"] else ""
    return (f'<figure id="figure-{figure["slug"]}"><div class="parts">{parts}</div><figcaption><strong>{inline(title)}</strong>'
            f"{note}</figcaption></figure>")


HTML = {
    "heading": lambda text: f'<h2 id="{anchor(text)}">{inline(text)}</h2>',
    "text": lambda text: f"<p>{inline(text)}</p>",
    "table": html_table,
    "list": lambda items: "<ul>" + "".join(f"<li>{inline(item)}</li>" for item in items) + "</ul>",
    "figure": html_figure,
}


def to_html(title, banner, blocks):
    links = "".join(f'<a href="#{anchor(b[1])}">{inline(b[1])}</a>' for b in blocks if b[0] == "heading")
    body = "\n".join(HTML[kind](*rest) for kind, *rest in blocks)
    return (f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta name="color-scheme" content="light dark">\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n'
            f'<p class="banner">{inline(banner)}</p>\n<nav>{links}</nav>\n{body}\n</body>\n</html>\n')


def md_cell(cell):
    return (cell[0] if isinstance(cell, tuple) else cell).replace("|", "\\|")


def md_table(head, rows):
    lines = ["| " + " | ".join(map(md_cell, line)) + " |" for line in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def md_figure(figure, folder):
    title = f"Figure {figure['number']}: {figure['caption']}"
    shown = [f"![{title}]({folder}{file.split('/')[-1]}.svg)" for part in figure["parts"] for file in part["files"]]
    reasons = [f"None: {part['why']}" for part in figure["parts"] if part["why"]]
    return "\n\n".join([*shown, *reasons, f"**{title}.** {figure['note']}"])


MARKDOWN = {
    "heading": lambda text: f"## {text}",
    "text": lambda text: text,
    "table": md_table,
    "list": lambda items: "\n".join(f"- {item}" for item in items),
}


def to_markdown(title, banner, blocks, folder):
    """`folder`: where the figures' files lie, seen from the text; "" is beside it."""
    forms = {**MARKDOWN, "figure": lambda figure: md_figure(figure, folder)}
    return "\n\n".join([f"# {title}", banner, *(forms[kind](*rest) for kind, *rest in blocks)]) + "\n"
