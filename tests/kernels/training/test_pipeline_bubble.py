"""Oracle: a discrete simulation in which stages pick up whatever their order of passes allows, as soon as its inputs are there."""

import pytest

from kernels.library.training.pipeline_bubble import BACKWARD, FORWARD, gpipe, pipeline_bubble

CASES = [(2, 1), (4, 1), (4, 4), (4, 16), (8, 32), (3, 5), (5, 2)]


def orders(schedule, stages, micro_batches):
    """Each stage's passes in order: (micro-batch, backward)."""
    found = []
    for stage in range(stages):
        warm = micro_batches if schedule == "gpipe" else min(micro_batches, stages - stage)
        passes, forward = [(m, False) for m in range(warm)], warm
        for m in range(micro_batches):
            passes.append((m, True))
            if forward < micro_batches:
                passes.append((forward, False))
                forward += 1
        found.append(passes)
    return found


def played(schedule, stages, micro_batches):
    """(share of the time that stages are idle, most micro-batches in flight in the first stage, end of each pass)."""
    left, free, ends = orders(schedule, stages, micro_batches), [0.0] * stages, {}
    flight = most = 0
    while any(left):
        before = len(ends)
        for stage, passes in enumerate(left):
            if not passes:
                continue
            micro, backward = passes[0]
            last = stage == stages - 1
            needed = (stage, micro, False) if backward and last else (stage + 1 if backward else stage - 1, micro, backward)
            if not (stage == 0 and not backward) and needed not in ends:
                continue
            start = max(free[stage], ends.get(needed, 0.0))
            free[stage] = ends[stage, micro, backward] = start + (BACKWARD if backward else FORWARD)
            passes.pop(0)
            if stage == 0:
                flight += -1 if backward else 1
                most = max(most, flight)
        assert len(ends) > before, "deadlock"
    whole = max(free)
    return 1 - micro_batches * (FORWARD + BACKWARD) / whole, most, ends


@pytest.mark.oracle("pipeline_bubble", "the schedule played out, a stage taking up what is ready")
@pytest.mark.parametrize("stages, micro_batches", CASES)
def test_a_simulated_pipeline(stages, micro_batches):
    got = pipeline_bubble(stages=stages, micro_batches=micro_batches)
    for schedule, in_flight in (("gpipe", "gpipe_in_flight"), ("1f1b", "one_f_one_b_in_flight")):
        idle, most, _ = played(schedule, stages, micro_batches)
        assert got["bubble"] == pytest.approx(idle)
        assert got[in_flight] == most


def interleaved(stages, micro_batches, chunks):
    """Idle share where every GPU holds `chunks` chunks of layers, in the order of Megatron-LM; micro-batches a multiple of the stages."""
    forward = [(group + micro, chunk) for group in range(0, micro_batches, stages) for chunk in range(chunks) for micro in range(stages)]
    backward = [(micro, chunks - 1 - chunk) for micro, chunk in forward]
    left = []
    for gpu in range(stages):
        warm = min(len(forward), 2 * (stages - gpu - 1) + (chunks - 1) * stages)
        passes = [(*which, False) for which in forward[:warm]]
        for i in range(len(forward)):
            passes += [(*which, False) for which in forward[warm + i : warm + i + 1]] + [(*backward[i], True)]
        left.append(passes)
    ends, free = {}, [0.0] * stages
    while any(left):
        before = len(ends)
        for gpu, passes in enumerate(left):
            if not passes:
                continue
            micro, chunk, back = passes[0]
            stage, last = chunk * stages + gpu, chunks * stages - 1
            needed = (micro, stage, False) if back and stage == last else (micro, stage + 1 if back else stage - 1, back)
            if (stage or back) and needed not in ends:
                continue
            free[gpu] = ends[micro, stage, back] = max(free[gpu], ends.get(needed, 0.0)) + (BACKWARD if back else FORWARD) / chunks
            passes.pop(0)
        assert len(ends) > before, "deadlock"
    return 1 - micro_batches * (FORWARD + BACKWARD) / max(free)


@pytest.mark.parametrize("stages, micro_batches, chunks", [(2, 4, 2), (4, 4, 2), (4, 8, 2), (4, 16, 3), (8, 16, 4), (4, 8, 1)])
def test_interleaved_chunks_played_out(stages, micro_batches, chunks):
    got = pipeline_bubble(stages=stages, micro_batches=micro_batches, chunks=chunks)
    assert got["interleaved"] == pytest.approx(interleaved(stages, micro_batches, chunks))


@pytest.mark.parametrize("stages, micro_batches", CASES)
def test_the_figure_shows_the_simulated_schedule(stages, micro_batches):
    _, _, ends = played("gpipe", stages, micro_batches)
    drawn = {(stage, micro, backward): (start + length) * micro_batches for stage, micro, backward, start, length in gpipe(stages, micro_batches)}
    assert drawn == pytest.approx(ends)


def test_what_follows_from_it():
    got = pipeline_bubble(stages=4, micro_batches=8)
    assert got["bubble_one"] == 0.75  # one stage of four works at a time
    assert got["overhead"] == pytest.approx(got["bubble"] / (1 - got["bubble"]))
    one, many = (1 - got[name] for name in ("bubble_one", "bubble"))
    assert got["step_over_one"] == pytest.approx(one / many)
    at = got["least_micro_batches"]
    assert pipeline_bubble(stages=4, micro_batches=at)["bubble"] <= 0.1 < pipeline_bubble(stages=4, micro_batches=at - 1)["bubble"]
