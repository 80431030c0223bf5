import pytest

torch = pytest.importorskip("torch")

from kernels import plot, precision, timing
from kernels.library.machines._devices import DEVICES
from kernels.library.transformers import attention_memory_time as file
from kernels.library.transformers.attention_memory import extra
from kernels.library.transformers.attention_memory_time import attention_memory_time
from kernels.record import Result

pytest_plugins = ("pretended_gpu", "rehearsed")


def made_up():  # not measured: numbers to draw with
    lengths = [1024 * 2**p for p in range(8)]
    memory = {way: [extra(n, 32, 128, 2)[way] for n in lengths] for way in file.WAYS}
    held = [m if n <= 16384 else None for n, m in zip(lengths, memory["naive"])]
    flash = [1e-15 * n**2 for n in lengths]
    return {
        "naive_time": 2e-3,
        "flash_time": 2e-4,
        "speedup": 10,
        "naive_memory": memory["naive"][2],
        "flash_memory": memory["flash"][2],
        "memory_ratio": 60,
        "naive_predicted": memory["naive"][2],
        "flash_predicted": memory["flash"][2],
        "naive_longest": 25088,
        "longest_predicted": 25200,
        "free": 8.4e10,
        "flash_longest_time": 0.3,
        "flash_doubling": 4,
        "flash_rate": 4e14,
        "ceiling": 6.5e14,
        "flash_of_ceiling": 0.6,
        "naive_error": 3e-3,
        "flash_error": 3e-3,
        "times": {"tokens": lengths, "naive": [t and 10 * f for t, f in zip(held, flash)], "flash": flash},
        "memory": {"tokens": lengths, "naive": held, "flash": memory["flash"]},
    }


@pytest.mark.parametrize("way", file.WAYS)
def test_each_way_is_attention(pretended_gpu, way):
    q, k, v = file.queries(48, 2, 32, "bf16")
    exact = torch.nn.functional.scaled_dot_product_attention(q.double(), k.double(), v.double(), is_causal=True)
    precision.error_against(exact, file.WAYS[way](q, k, v), file.LIMITS["bf16"])


def test_naive_holds_two_matrices_at_most(pretended_gpu):
    held = Held()
    with held:
        file.naive(*file.queries(64, 2, 16, "bf16"))
    assert held.matrices == 2  # what extra() counts


class Held(torch.utils._python_dispatch.TorchDispatchMode):
    """Counts the distinct n x n matrices of scores that operations return."""

    def __init__(self):
        super().__init__()
        self.seen = {}

    @property
    def matrices(self):
        return len(self.seen)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor) and out.shape[-2:] == (64, 64) and out.dtype == torch.bfloat16:
            self.seen[out.untyped_storage().data_ptr()] = out
        return out


@pytest.fixture
def small_gpu(pretended_gpu, monkeypatch):
    """Naive attention runs out of memory beyond 300 tokens; the shortest of the sweep is 64."""

    def naive(q, k, v, run=file.naive):
        if q.shape[-2] > 300:
            raise torch.OutOfMemoryError("pretended")
        return run(q, k, v)

    monkeypatch.setitem(file.WAYS, "naive", naive)
    for name, value in (("SHORTEST", 64), ("STEP", 16), ("COMPARED", 32)):
        monkeypatch.setattr(file, name, value)
    monkeypatch.setattr(timing, "SHAPES", ((64, 64, 64),))


def test_it_runs_from_end_to_end_and_finds_where_naive_stops(small_gpu):
    outputs = attention_memory_time.checked(attention_memory_time.function(tokens=128, heads=1, head_dim=16, dtype="bf16", longest_tokens=512))
    result = Result("attention_memory_time", "measurement", {}, outputs)
    assert result["naive_longest"] == 288  # to 16 tokens
    assert result["memory"].x == (64, 128, 256, 512) and result["memory"].lines["naive"][-1] is None and result["times"].lines["flash"][-1]
    assert result["speedup"] == pytest.approx(result["naive_time"] / result["flash_time"])
    assert result["flash_of_ceiling"] == pytest.approx(result["flash_rate"] / result["ceiling"])
    assert result["naive_memory"] == pytest.approx(result["naive_predicted"], rel=0.1)


def test_its_rehearsal(rehearse):
    result = rehearse.within_memory(attention_memory_time)
    assert result["naive_longest"] == 128
    assert (
        rehearse.expected(attention_memory_time, result, "h100") == DEVICES["h100"].half
        and rehearse.expected(attention_memory_time, result, "gtx-0") is None
    )


def test_where_naive_always_fits_the_longest_is_the_last(small_gpu):
    assert file.naive_longest([64, 128], [64, 128], 1, 16, "bf16") == 128


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(
        attention_memory_time,
        Result("attention_memory_time", "measurement", attention_memory_time.bind({}), attention_memory_time.checked(made_up())),
    )
    assert "25,088 tokens" in drawn.alt
