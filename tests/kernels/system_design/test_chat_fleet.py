"""The plan of a chat service against the same day worked out by hand, and against a server that is played out step by step."""

from __future__ import annotations

import pytest

from kernels import KernelError
from kernels.library.system_design.chat_fleet import VARIED, chat_fleet

WEIGHTS = 2 * (8_030_261_248 - 128256 * 4096)  # Llama 3 8B without its embedding, which a step only looks up
BODY = WEIGHTS - 2 * (2 * 32 + 1) * 4096 - 2 * 128256 * 4096  # norms are not multiplied, and a prompt needs the head once


@pytest.mark.oracle("chat_fleet", "the day worked out by hand, from the released model's shape and the H100's data sheet")
def test_by_hand():
    got = chat_fleet(users=2e6, turns=4, peak=2, prompt=1000, output=200, reached=0.5, load=0.8, tpot_limit=0.04)
    assert got["rate"] == pytest.approx(8e6 / 86400)
    assert got["flop"] == pytest.approx(BODY, rel=1e-3)
    assert (got["weights"], got["per_token"]) == (pytest.approx(WEIGHTS), 2 * 32 * 8 * 128 * 2)
    prefill = 1000 * BODY / (0.5 * 989.4e12)
    each = 1100 * 131072 / (0.5 * 3.35e12)
    batch = int((0.04 - WEIGHTS / (0.5 * 3.35e12)) / (each + prefill / 200))
    step = WEIGHTS / (0.5 * 3.35e12) + batch * each
    assert got["batch"] == batch == got["pace_batch"]
    assert got["prefill"] == pytest.approx(prefill, rel=1e-3)
    assert got["step"] == pytest.approx(step, rel=1e-3)
    assert got["gpus"] == pytest.approx(16e6 / 86400 * (prefill + 200 * step / batch) / 0.8, rel=2e-3)
    assert got["whole"] == -(-got["gpus"] // 1)


def test_a_full_server_played_out_gives_that_pace():
    """b slots, always full: as many prompts are read as answers end, and each token waits for its share of them."""
    got = chat_fleet()
    b, output = got["batch"], 300
    time = prompts = 0.0
    for _ in range(3000):
        prompts += b / output
        while prompts >= 1:
            time, prompts = time + got["prefill"], prompts - 1
        time += got["step"]
    assert time / 3000 == pytest.approx(got["tpot"], rel=1e-3)
    assert got["tpot"] <= 0.1
    assert b * 3000 / output / time == pytest.approx(got["per_gpu"], rel=1e-3)


def test_the_memory_is_the_limit_where_time_is_not():
    got = chat_fleet(tpot_limit=1.0)
    assert got["batch"] == got["memory_batch"] == int((81559 * 2**20 - 2 * 8_030_261_248) / (1650 * 131072)) < got["pace_batch"]


def test_what_each_assumption_moves():
    got = chat_fleet()
    for name in ("users", "turns", "peak"):
        assert (got[f"half_{name}"], got[f"double_{name}"]) == pytest.approx((got["gpus"] / 2, 2 * got["gpus"]))
    assert got["double_load"] == pytest.approx(0.7 * got["gpus"])  # no more than always busy
    for name in VARIED:
        again = {"users": 1e6, "turns": 5.0, "peak": 3.0, "prompt": 1500.0, "output": 300.0, "reached": 0.5, "load": 0.7, "tpot_limit": 0.1}[name]
        assert chat_fleet(**{name: again / 2})["gpus"] == pytest.approx(got[f"half_{name}"])
    assert chat_fleet(peak=1.2)["half_peak"] == pytest.approx(chat_fleet(peak=1.0)["gpus"])


def test_what_cannot_be():
    with pytest.raises(KernelError, match="not one sequence"):
        chat_fleet(tpot_limit=0.005)
    with pytest.raises(KernelError, match="experts"):
        chat_fleet(model="mixtral-8x7b")
