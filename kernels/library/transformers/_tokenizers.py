"""Tokenizers of published models, as wheels on PyPI ship them; nothing of their files is copied here, and none of these packages is imported whole.

    gpt2         50,257    the merges of OpenAI's p50k_base, which are GPT-2's but for 24 runs of spaces (litellm's copy, checked by tiktoken's hash)
    mistral-7b   32,000    SentencePiece, BPE with bytes to fall back to (mistral-common)
    cl100k      100,277    GPT-4 (litellm)
    llama-3     128,256    (llama-models)
    deepseek-v3 129,280    (litellm)
    tekken      131,072    Mistral Nemo and later (mistral-common)
    qwen        151,851    Qwen, 151,643 of them merged, as in Qwen2.5 (dashscope)
    o200k       200,019    GPT-4o (litellm)

Entries count special tokens.
"""

from __future__ import annotations

import base64
import functools
import importlib.util
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kernels import KernelError

Name = Literal["gpt2", "mistral-7b", "cl100k", "llama-3", "deepseek-v3", "tekken", "qwen", "o200k"]
ENDS = ("gpt2", "mistral-7b", "llama-3", "deepseek-v3", "o200k")  # what an unnamed tokenizer is free between: old and new, small and large ones
NEEDS = ("tiktoken", "sentencepiece", "tokenizers", "litellm", "llama_models", "mistral_common", "dashscope")

LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"  # llama3/tokenizer.py
)
QWEN = LLAMA_3.replace(r"\p{N}{1,3}", r"\p{N}")  # tokenizers/qwen_tokenizer.py: a number digit by digit
SPECIAL = {"gpt2": 1, "llama-3": 256, "qwen": 208}


@dataclass(frozen=True)
class Tokenizer:
    """encode: a text to ids. token: the bytes of an id, None for a special token. vocabulary: how many ids there are."""

    encode: Callable[[str], list[int]]
    token: Callable[[int], bytes | None]
    vocabulary: int

    def pieces(self, text: str) -> list[bytes]:
        return [self.token(i) or b"" for i in self.encode(text)]


@functools.cache
def tokenizer(name: str) -> Tokenizer:
    return {"mistral-7b": _mistral, "deepseek-v3": _deepseek, "tekken": _tekken}.get(name, functools.partial(_tiktoken, name))()


def folder(package: str) -> Path:
    """Where a package lies, without running it: these are read for their files."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise KernelError(f"the package {package} is not installed here")
    return Path(spec.submodule_search_locations[0])


def _tiktoken(name: str) -> Tokenizer:
    import tiktoken

    if name in ("gpt2", "cl100k", "o200k"):
        os.environ["TIKTOKEN_CACHE_DIR"] = str(folder("litellm") / "litellm_core_utils" / "tokenizers")  # else they would be downloaded
        encoding = tiktoken.get_encoding({"gpt2": "p50k_base"}.get(name, f"{name}_base"))
        if name != "gpt2":
            return _of_encoding(encoding, encoding.n_vocab)
        ranks = {token: rank for token, rank in encoding._mergeable_ranks.items() if rank < 50256}
        encoding = tiktoken.Encoding(name, pat_str=encoding._pat_str, mergeable_ranks=ranks, special_tokens={})
    else:
        path = {"llama-3": folder("llama_models") / "llama3" / "tokenizer.model", "qwen": folder("dashscope") / "resources" / "qwen.tiktoken"}[name]
        lines = (line.split() for line in path.read_bytes().splitlines() if line)
        ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
        pattern = {"llama-3": LLAMA_3, "qwen": QWEN}[name]
        encoding = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return _of_encoding(encoding, len(ranks) + SPECIAL[name])


def _tekken() -> Tokenizer:
    import tiktoken

    content = json.loads((folder("mistral_common") / "data" / "tekken_240911.json").read_text(encoding="utf-8"))
    config = content["config"]
    special = config["default_num_special_tokens"]  # its ids come first
    entries = content["vocab"][: config["default_vocab_size"] - special]
    ranks = {base64.b64decode(entry["token_bytes"]): entry["rank"] for entry in entries}
    encoding = tiktoken.Encoding("tekken", pat_str=config["pattern"], mergeable_ranks=ranks, special_tokens={})
    return _of_encoding(encoding, len(ranks) + special, special)


def _of_encoding(encoding, vocabulary: int, first: int = 0) -> Tokenizer:
    tokens = {rank + first: token for token, rank in encoding._mergeable_ranks.items()}
    return Tokenizer(lambda text: [i + first for i in encoding.encode_ordinary(text)], tokens.get, vocabulary)


def _mistral() -> Tokenizer:
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(str(folder("mistral_common") / "data" / "tokenizer.model.v1"))

    def token(i: int) -> bytes | None:
        if model.IsControl(i) or model.IsUnknown(i):
            return None
        piece = model.IdToPiece(i)
        return bytes([int(piece[3:5], 16)]) if model.IsByte(i) else piece.replace("▁", " ").encode()

    return Tokenizer(lambda text: model.Encode(text.removeprefix(" ")), token, model.vocab_size())  # it puts a space before every text


def _deepseek() -> Tokenizer:
    import tokenizers

    model = tokenizers.Tokenizer.from_file(str(folder("litellm") / "litellm_core_utils" / "tokenizers" / "deepseek_tokenizer.json"))
    added = model.get_added_tokens_decoder()
    byte_of = {letter: byte for byte, letter in _letters().items()}

    def token(i: int) -> bytes | None:
        piece = None if i in added else model.id_to_token(i)
        return None if piece is None else bytes(byte_of[letter] for letter in piece)

    return Tokenizer(lambda text: model.encode(text, add_special_tokens=False).ids, token, model.get_vocab_size())


def _letters() -> dict[int, str]:
    """The letter that GPT-2's byte-level BPE writes for each byte: itself where it is printable, else one from 256 on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}
