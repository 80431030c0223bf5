"""Each curve of these kernels passes through what its kernel gives for that abscissa, and outputs that follow from others do."""

import pytest

from kernels.library.evaluation.detector_precision import detector_precision
from kernels.library.rag.abstention_score import abstention_score
from kernels.library.rag.agreeing_samples import agreeing_samples
from kernels.library.rag.bm25_term import bm25_term
from kernels.library.rag.distractor_weight import distractor_weight
from kernels.library.rag.faithful_answers import faithful_answers
from kernels.library.rag.judge_correction import judge_correction
from kernels.library.rag.paired_eval_size import paired_eval_size
from kernels.library.rag.rag_accuracy import rag_accuracy
from kernels.library.rag.rag_context import rag_context
from kernels.library.rag.recall_at_k import recall_at_k
from kernels.library.rag.span_cut import span_cut
from kernels.library.rag.token_error_chain import token_error_chain
from kernels.results import Number

CURVES = [
    (rag_accuracy, {}, lambda x: {"recall": x}, {"accuracy": "accuracy", "product": "product"}),
    (paired_eval_size, {"gain": 0.05}, lambda x: {"disagreement": x}, {"paired": "paired"}),
    (judge_correction, {}, lambda x: {"seen": 0.3 + 0.65 * x}, {"seen": "seen"}),
    (faithful_answers, {"correlation": 0.3}, lambda x: {"claims": x}, {"independent": "independent", "alike": "whole"}),
    (span_cut, {"span": 150}, lambda x: {"overlap": x}, {"cut": "cut", "extra": "inflation - 1"}),
    (rag_context, {}, lambda x: {"chunks": max(1, x)}, {"prefill": "prefill"}),
    (recall_at_k, {"separation": 3.0, "chunks": 500}, lambda x: {"k": x}, {"recall": "recall"}),
    (detector_precision, {}, lambda x: {"prevalence": x}, {"precision": "precision"}),
    (agreeing_samples, {}, lambda x: {"samples": x}, {"independent": "majority_wrong_independent", "alike": "majority_wrong"}),
    (abstention_score, {"overconfidence": 2.0}, lambda x: {"threshold": x}, {"answered": "answered", "right": "right_of_answered"}),
    (token_error_chain, {}, lambda x: {"tokens": max(1, x)}, {"for ever": "off_for_ever", "recovering": "off_course"}),
    (bm25_term, {"length": 2.0}, lambda x: {"count": x}, {"double": "saturation"}),
    (bm25_term, {"length": 0.5}, lambda x: {"count": x}, {"half": "saturation"}),
    (distractor_weight, {"lead": 8.0}, lambda x: {"others": x}, {"lead 8": "weight"}),
]


@pytest.mark.parametrize("kernel, given, at, lines", CURVES, ids=[c[0].name for c in CURVES])
def test_a_curve_passes_through_its_kernel(kernel, given, at, lines):
    curve = kernel(**given)["sweep"]
    places = [i for i in range(len(curve.x)) if curve.x[i]] or [0]
    for i in places[:: max(1, len(places) // 3)]:
        result = kernel(**{**given, **at(curve.x[i])})
        known = {**result.parameters, **{n: o.value for n, o in result.outputs.items() if isinstance(o, Number)}}
        for line, output in lines.items():
            within = {"abs": 1.0} if output == "paired" else {"rel": 1e-9}  # a count is rounded up
            assert curve.values(line)[i] == pytest.approx(eval(output, {}, known), **within), (line, curve.x[i])


SAID = [
    (abstention_score, "score_all", "accuracy - penalty * wrong_all"),
    (abstention_score, "accuracy_lost", "accuracy - answered * right_of_answered"),
    (judge_correction, "lower", "corrected - half_width"),
    (judge_correction, "upper", "corrected + half_width"),
    (judge_correction, "youden", "0.95 + 0.7 - 1"),
    (judge_correction, "labels_share", "1 - (half_width_seen / youden / half_width) ** 2"),
    (judge_correction, "half_width_seen", "1.959963984540054 * (0.78 * 0.22 / 2000) ** 0.5"),
    (bm25_term, "limit", "2.2"),
    (bm25_term, "rare_over_common", "9.205352 / 2.302580"),
    (recall_at_k, "lost", "1 - ceiling"),
    (span_cut, "cut_plain", "99 / 512"),
    (span_cut, "overlap_share", "50 / 512"),
    (recall_at_k, "kept_by_chance", "5 / 100001"),
]


@pytest.mark.parametrize("kernel, output, says", SAID, ids=[f"{k.name}-{o}" for k, o, _ in SAID])
def test_an_output_follows_from_others(kernel, output, says):
    result = kernel()
    known = {**result.parameters, **{n: o.value for n, o in result.outputs.items() if isinstance(o, Number)}}
    assert known[output] == pytest.approx(eval(says, {}, known), rel=1e-5)
