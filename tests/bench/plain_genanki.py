"""The script that one writes by hand, which builds are timed against: Markdown to an Anki package, by genanki and Python-Markdown.

python tests/bench/plain_genanki.py FOLDER DECK.apkg
"""

import re
import sys
from pathlib import Path

import genanki
import markdown
import yaml

EXTENSIONS = ["tables", "fenced_code", "codehilite", "sane_lists", "pymdownx.arithmatex"]
SETTINGS = {"codehilite": {"guess_lang": False}, "pymdownx.arithmatex": {"generic": True}}
MODEL = genanki.Model(
    1607392320,
    "Plain",
    fields=[{"name": "Front"}, {"name": "Back"}],
    templates=[{"name": "Card", "qfmt": "{{Front}}", "afmt": '{{FrontSide}}<hr id="answer">{{Back}}'}],
)


def main(folder: Path, package: str) -> None:
    converter = markdown.Markdown(extensions=EXTENSIONS, extension_configs=SETTINGS)  # one for all fields: making one takes as long as a card
    deck, media = genanki.Deck(2059400111, "Plain"), {}
    for path in sorted(folder.rglob("*.md")):
        pieces = re.split(r"^\+\+\+\n(.*?)^\+\+\+\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for head, body in zip(pieces[1::2], pieces[2::2], strict=True):
            about = yaml.safe_load(head)
            front, back = (converter.reset().convert(side) for side in body.split("<!-- back -->", 1))
            for source in re.findall(r'src="([^"]+)"', back):
                media[Path(source).name] = str(path.parent / source)
                back = back.replace(source, Path(source).name)
            deck.add_note(genanki.Note(MODEL, [front, back], tags=about["tags"], guid=genanki.guid_for(about["id"])))
    genanki.Package(deck, media_files=list(media.values())).write_to_file(package)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
