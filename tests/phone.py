"""A phone's page, 360 px wide: pages in, what Chromium measures of each out: how wide, how legible, which pictures show."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from browser import CHROMIUM

OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--virtual-time-budget=30000")
NIGHT = " nightMode night_mode"
SHELLS = {  # what the apps put around a card before its own style
    "android": "body{margin:0;padding:0}body.night_mode{color:#fff;background-color:#000}#content{margin:.5em}img{max-width:100%}",
    "desktop": "body{margin:20px}body.nightMode{background-color:#2c2c2c;color:#fcfcfc}.typeGood{background:#afa;color:black}.typeBad{background:#faa;color:black}.typeMissed{background:#ccc;color:black}",
}


def page(body: str, css: str, theme: str, shell: str = "android") -> str:
    """The side of a card in the page that an app makes of it."""
    classes = "card" + (NIGHT if theme == "dark" else "")
    return (
        f'<!doctype html><meta charset="utf-8"><style>{SHELLS[shell]}</style><body class="{classes}">'
        f'<div id="content"><div id="qa"><style>{css}</style>{body}</div></div></body>'
    )


def measured(folder: Path, pages: Mapping[str, str]) -> dict[str, dict]:
    """By their names, what is measured of these pages, whose pictures lie in the folder."""
    frame = '<iframe title="{}" width="360" height="740" style="border:0" srcdoc="{}"></iframe>'
    frames = "".join(frame.format(name, html.escape(body)) for name, body in pages.items())
    document = f'<!doctype html><meta charset="utf-8">{frames}<pre id="out"></pre><script>{MEASURE}</script>'
    (folder / "page.html").write_text(document, encoding="utf-8")
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", (folder / "page.html").as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r'<pre id="out">(.+?)</pre>', dom, re.DOTALL)
    assert found, dom[-2000:]
    sides = {entry["name"]: entry for entry in json.loads(html.unescape(found[1]))}
    assert sides.keys() == pages.keys()
    return sides


MEASURE = """
const over = (f, b) => [0, 1, 2].map(i => f[i] * f[3] + b[i] * (1 - f[3])).concat(1);
const rgba = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length > 3 ? n : n.concat(1); };
const lum = c => { const f = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; return .2126*f(c[0]) + .7152*f(c[1]) + .0722*f(c[2]); };
function measure(frame) {
  const d = frame.contentDocument, w = d.defaultView, W = d.documentElement.clientWidth, out = {name: frame.title, over: [], low: [], small: [], theme: []};
  const style = e => w.getComputedStyle(e), what = e => e.tagName + '.' + e.className + ' ' + e.textContent.trim().slice(0, 40);
  const scrolls = e => { for (let p = e.parentElement; p && p !== d.body; p = p.parentElement) if (style(p).overflowX === 'auto' && p.getBoundingClientRect().right <= W + 1) return true; return false; };
  const ground = e => { for (let p = e; p; p = p.parentElement) { const c = rgba(style(p).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  out.page = d.documentElement.scrollWidth;
  out.body = style(d.body).backgroundColor;
  for (const e of d.querySelectorAll('#qa *:not(style)')) {
    const r = e.getBoundingClientRect();
    if (r.width && r.right > W + 1 && !scrolls(e)) out.over.push(what(e));
    if (!r.width || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const b = ground(e), x = lum(over(rgba(style(e).color), b)), y = lum(b), ratio = (Math.max(x, y) + .05) / (Math.min(x, y) + .05);
    if (ratio < 4.5) out.low.push(ratio.toFixed(2) + ' ' + what(e));
    if (parseFloat(style(e).fontSize) < 12.7 && !e.closest('sup, sub, math')) out.small.push(style(e).fontSize + ' ' + what(e));
  }
  out.height = d.documentElement.scrollHeight;
  const images = [...d.querySelectorAll('figure img')].map(i => [i.className, i.getBoundingClientRect().width > 0, i.naturalWidth > 0]);
  out.images = images;
  out.text = parseFloat(style(d.querySelector('.side div') || d.body).fontSize);
  out.answer = d.querySelector('.answer > p') ? parseFloat(style(d.querySelector('.answer > p')).fontSize) : 20;
  return out;
}
addEventListener('load', () => { document.getElementById('out').textContent = JSON.stringify([...document.querySelectorAll('iframe')].map(measure)); });
"""
