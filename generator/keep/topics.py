"""What sources.yml says, read once: as data that loads in a fiftieth of the time that its YAML takes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from generator.keep.cache import Cache, key
from generator.notes import Question, SourceClaim, Topic
from generator.problems import Place, Problem
from generator.read.folder import Topics, topics_in


def topics_of(text: str, path: str, cache: Cache, code: str) -> tuple[Topics, list[Problem]]:
    """The topics of a sources.yml, as they were read before from the same text or now."""
    name = key("topics", code, text, path)
    kept = cache.get(name)
    if kept is not None:
        return {id: _decoded(*topic) for id, topic in json.loads(kept).items()}, []
    topics, problems = topics_in(text, path)
    if topics is not None and not problems:
        cache.put(name, json.dumps({id: _encoded(topic) for id, topic in topics.items()}, ensure_ascii=False).encode())
    return topics, problems


def _encoded(topic: Topic) -> list[Any]:
    questions, claims = (list(many) for many in (topic.questions, topic.claims))
    return [topic.id, topic.area, topic.title, questions, claims, topic.whole, [topic.place.path, topic.place.line], topic.document, topic.link]


def _decoded(id: str, area: str, title: str, questions: Iterable[Any], claims: Iterable[Any], whole: bool, place: Any, *about: str) -> Topic:
    return Topic(id, area, title, tuple(Question(*q) for q in questions), tuple(SourceClaim(*c) for c in claims), whole, Place(*place), *about)
