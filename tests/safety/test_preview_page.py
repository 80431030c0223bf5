"""The preview in Chromium, as a file: its own script runs, no other one does, pictures show, and nothing is fetched from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import CHROMIUM, browsing
from workshop import Workshop

DECK = "name: Seen\nid: 1750000000000\nslug: test-interviews\n"
CARD = "# What is it? {#seen}\n\n![a dot](dot.svg) with $x^2$ and `code`.\n"
DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
INJECTED = """(async () => {
  window.ran = [];
  window.refused = [];
  document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
  const script = document.createElement("script");
  script.textContent = "ran.push('script')";
  document.body.append(script);
  const html = '<img src="https://evil.example/x.png"><img src="data:x" onerror="ran.push(1)"><b onclick="ran.push(2)">b</b>';
  document.body.insertAdjacentHTML("beforeend", html);
  document.body.lastElementChild.click();
  const frame = document.querySelector("iframe").contentDocument;
  frame.body.insertAdjacentHTML("beforeend", '<img src="data:x" onerror="parent.ran.push(3)">');
  await new Promise((done) => setTimeout(done, 300));
  return [window.ran.length, [...new Set(refused)].sort().join(" ")];
})()"""


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
def test_no_other_script_runs(tmp_path: Path):
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "deck.yml").write_text(DECK)
    (tmp_path / "cards" / "seen.md").write_text(CARD)
    (tmp_path / "cards" / "dot.svg").write_text(DOT)
    assert Workshop(tmp_path).run("preview").status == 0
    with browsing(tmp_path / "profile") as page:
        page.go((tmp_path / "build" / "preview" / "index.html").as_uri())
        page.until("document.querySelector('iframe')?.contentDocument?.images.length !== undefined")
        page.until("[...document.querySelectorAll('iframe')].some((one) => [...one.contentDocument.images].some((image) => image.naturalWidth > 0))")
        assert page.complaints == []
        ran, refused = page.value(INJECTED)
        assert ran == 0 and {"img-src", "script-src-elem", "script-src-attr"} <= set(refused.split())
