"""A learner with a collection of the real Anki, as a process of its own, so that any Python with any Anki since 2.1.36 may be the judge.

python learner.py COLLECTION reads a line of JSON for each thing that is done, `{"do": "takes", "package": …}` say, and answers each with the
collection as it is then. Needs nothing but the package `anki`, and nothing of it enters the compiler's own process.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anki.collection
import anki.lang

EVERY = 10  # notes, of which one is used in each way


class Learner:
    def __init__(self, path: str):
        language: Any = anki.lang
        try:
            language.set_lang("en")
        except TypeError:  # before 2.1.45
            language.set_lang("en", "")
        self.col: Any = anki.collection.Collection(path)

    def takes(self, package: str) -> None:
        """Imports a package as Anki does unless it is told otherwise."""
        if hasattr(self.col, "import_anki_package"):
            from anki.collection import ImportAnkiPackageOptions, ImportAnkiPackageRequest

            self.col.import_anki_package(ImportAnkiPackageRequest(package_path=package, options=ImportAnkiPackageOptions()))
            self.col.models._clear_cache()
        else:
            from anki.importing.apkg import AnkiPackageImporter

            AnkiPackageImporter(self.col, package).run()

    def studies(self, seed: int) -> None:
        """Answers some cards, and suspends and flags others."""
        walk = random.Random(seed)
        self.col.decks.select(self.col.db.scalar("select did from cards order by id"))
        if hasattr(self.col, "reset"):
            self.col.reset()
        for _ in range(walk.randrange(1, 4)):
            if card := self.col.sched.getCard():
                (getattr(card, "start_timer", None) or card.startTimer)()
                self.col.sched.answerCard(card, walk.randrange(1, 4))
        ids = self.col.db.list("select id from cards order by id")
        self.col.db.execute("update cards set flags = ? where id = ?", walk.randrange(1, 4), walk.choice(ids))
        self.col.db.execute("update cards set queue = -1 where id = ?", walk.choice(ids))

    def lives(self, at: int, tag: str, words: str, deck: str, change: list[str]) -> None:
        """Uses every tenth note in each way that a learner has, and the first of ten in all ways. at: seconds since 1970, when that is over.

        tag, words, deck: what becomes a note's tag, the end of its text, and its cards' deck. change: GUIDs of more notes to be used in all ways.
        Needs the scheduler of 23.10 or later.
        """
        ways: list[Callable[[int, list[int]], object]] = [
            lambda note, cards: [self.answers(card, note // EVERY % 4) for card in cards],
            lambda note, cards: self.col.sched.suspend_cards(cards),
            lambda note, cards: self.col.set_user_flag_for_cards(1 + note % 7, cards),
            lambda note, cards: self.col.tags.bulk_add([note], tag),
            lambda note, cards: self.writes(note, words),
            lambda note, cards: self.col.set_deck(cards, self.col.decks.id(deck)),
        ]
        for number, (note, mod, guid) in enumerate(self.col.db.all("select id, mod, guid from notes order by id")):
            cards = self.col.db.list("select id from cards where nid = ? order by ord", note)
            place = 0 if guid in change else number % EVERY
            for way in ways if place == 0 else ways[place - 1 : place]:
                way(note, cards)
            self.col.db.execute("update notes set mod = ? where id = ? and mod != ?", max(mod, at), note, mod)

    def answers(self, card: int, rating: int) -> object:
        """Again, hard, good or easy: 0 to 3."""
        asked, states = self.col.get_card(card), self.col._backend.get_scheduling_states(card)
        asked.start_timer()
        return self.col.sched.answer_card(self.col.sched.build_answer(card=asked, states=states, rating=rating))

    def writes(self, note: int, words: str) -> None:
        """Adds words of one's own to the last field."""
        written = self.col.get_note(note)
        written.fields[-1] += words
        self.col.update_note(written)

    def edits(self, guid: str, text: str, at: int) -> None:
        """Writes something of one's own into a note's last field."""
        fields = self.col.db.scalar("select flds from notes where guid = ?", guid).split("\x1f")
        fields[-1] = text
        self.col.db.execute("update notes set flds = ?, tags = tags || 'mine ', mod = ? where guid = ?", "\x1f".join(fields), at, guid)

    def state(self) -> dict[str, Any]:
        presets = self.col.decks.all_config if hasattr(self.col.decks, "all_config") else self.col.decks.allConf
        columns = "id, nid, did, ord, type, queue, due, ivl, factor, reps, lapses, left, flags"
        kinds = {str(kind["id"]): [[[one["qfmt"], one["afmt"]] for one in kind["tmpls"]], kind["css"]] for kind in self.col.models.all()}
        return {
            "notes": [list(row) for row in self.col.db.all("select guid, mod, mid, tags, flds, id from notes order by id")],
            "cards": [list(row) for row in self.col.db.all(f"select {columns} from cards order by id")],
            "reviews": [list(row) for row in self.col.db.all("select * from revlog order by id")],
            "types": kinds,
            "names": [[deck["id"], deck["name"]] for deck in self.col.decks.all()],
            "decks": {deck["name"]: deck.get("conf") for deck in self.col.decks.all()},
            "presets": {str(one["id"]): one for one in presets()},
            "media": sorted(path.name for path in Path(self.col.media.dir()).iterdir()),
        }


def main() -> None:
    out, sys.stdout = sys.stdout, sys.stderr
    Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
    learner = Learner(sys.argv[1])
    for line in sys.stdin:
        asked = json.loads(line)
        do = asked.pop("do")
        getattr(learner, do)(**asked)
        print(json.dumps(learner.state()), file=out, flush=True)
    learner.col.close()


if __name__ == "__main__":
    main()
