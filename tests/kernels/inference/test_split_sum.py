import numpy
import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError
from kernels.library.inference import split_sum as file
from kernels.library.inference.split_sum import split_sum


@pytest.mark.parametrize("splits", [1, 4])
def test_the_sum_is_numpys_fp32_one_addition_at_a_time(splits):
    torch.manual_seed(0)
    hidden, head = torch.rand(2, 64), torch.rand(64, 3)
    got = file.added(hidden, head, splits)
    for row in range(2):
        for column in range(3):
            terms = [numpy.float32(a) * numpy.float32(b) for a, b in zip(hidden[row].numpy(), head[:, column].numpy())]
            parts = []
            for part in numpy.array_split(numpy.array(terms, dtype=numpy.float32), splits):
                total = numpy.float32(0)
                for term in part:
                    total = numpy.float32(total + term)
                parts.append(total)
            total = parts[0]
            for part in parts[1:]:
                total = numpy.float32(total + part)
            assert got[row, column].item() == total


def test_bits_change_and_values_hardly():
    got = split_sum(length=1024, vocab=64, rows=8)
    assert got["bits_changed"] > 0.8 and 0 < got["moved"] < 1e-4 and 2 < got["distinct"] <= 6
    assert got["error_split"] < got["error_one"] < 1e-5  # shorter runs round less


def test_sums_that_are_exact_have_one_order():
    whole = torch.ones(4, 64), torch.arange(64.0)[:, None].repeat(1, 5)
    assert file.changed(file.added(*whole, 1), file.added(*whole, 8)) == 0


def test_parts_that_do_not_divide_the_length_are_refused():
    with pytest.raises(KernelError, match="multiple of 32"):
        split_sum(length=100)
