"""Every formula is held against something independent of it, by a test that runs it."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

from kernels.__main__ import main
from kernels.declare import find, names
from kernels.oracles import TESTS, lacking, marked, oracles
from kernels.results import KernelError


def test_every_formula_has_an_oracle():
    found, kernels = oracles(), [find(name) for name in names()]
    assert not lacking(kernels, found)
    assert found.keys() <= set(names()), "an oracle names a kernel that there is"


def test_the_list_and_the_share(capsys):
    assert main(["oracles"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "training/zero_memory" in lines and any("arXiv 1910.02054, table 1" in line and "published.yml" in line for line in lines)
    assert main(["oracles", "--share"]) == 0
    assert capsys.readouterr().out == lines[-1] + "\n" and "formulas and predictions have an independent oracle (100%)" in lines[-1]


def test_a_formula_without_one_is_named(capsys, made_up):
    assert main(["oracles", "--share"]) == 1
    assert "none: made_up_ratio" in capsys.readouterr().out


@pytest.mark.parametrize("mark", ['oracle("zero_memory")', 'oracle(name, "torch")', 'oracle("a", "b", "c")'])
def test_an_oracle_is_two_texts(tmp_path, mark):
    (path := tmp_path / "test_it.py").write_text(f"import pytest\n\n@pytest.mark.{mark}\ndef test_it(): ...\n")
    with pytest.raises(KernelError, match="test_it.py:3: an oracle is"):
        list(marked(path))


def test_tests_that_are_not_here(tmp_path):
    with pytest.raises(KernelError, match="in the repository"):
        oracles(tmp_path / "elsewhere")


@pytest.mark.parametrize("ran", [True, False])
def test_a_marked_test_runs_its_kernel(ran):
    spec = importlib.util.spec_from_file_location("watch", Path(TESTS) / "conftest.py")
    watch = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(watch)
    call = watch.pytest_runtest_call(SimpleNamespace(iter_markers=lambda name: [pytest.mark.oracle("alibi_window", "nothing").mark]))
    next(call)
    find("alibi_window" if ran else "chance_loss")()
    with pytest.raises(StopIteration if ran else AssertionError):
        call.send(None)
