"""Curves of the kernels of capacity and protocols pass through the numbers that they give for that abscissa."""

import pytest

from kernels import KernelError
from kernels.library.serving.connection_setup import connection_setup
from kernels.library.serving.latency_budget import latency_budget
from kernels.library.serving.mixed_wait import mixed_wait
from kernels.library.serving.replica_headroom import replica_headroom
from kernels.library.serving.scale_out_backlog import scale_out_backlog
from kernels.library.serving.self_hosting_cost import self_hosting_cost
from kernels.library.serving.serialisation_share import serialisation_share
from kernels.library.serving.sticky_channels import sticky_channels
from kernels.library.serving.stream_loss import stream_loss
from kernels.library.serving.token_stream import token_stream

CURVES = [  # kernel, parameter that is the abscissa, line -> output
    (self_hosting_cost, "utilisation", {"own GPU": "cost"}, {"api": 2.0}),
    (latency_budget, "output", {"answer": "whole"}, {"prompt": 300}),
    (mixed_wait, "share", {"wait": "wait"}, {"rate": 8.0}),
    (stream_loss, "streams", {"one connection": "shared", "one each": "own"}, {"loss": 0.01}),
    (sticky_channels, "clients", {"idle": "idle_share"}, {"servers": 5}),
    (serialisation_share, "model", {"gain": "gain"}, {"slow": 3e-3}),
    (replica_headroom, "replicas", {"usual": "usual"}, {"limit": 0.7}),
]


@pytest.mark.parametrize(("kernel", "parameter", "lines", "given"), CURVES, ids=[row[0].name for row in CURVES])
def test_the_curve_passes_through_the_numbers(kernel, parameter, lines, given):
    curve, met = kernel(**given)["sweep"], 0
    for line, output in lines.items():
        for x, y in list(zip(curve.x, curve.values(line)))[:: max(1, len(curve.x) // 6)]:
            if y is not None:
                try:
                    result = kernel(**given, **{parameter: x})
                except KernelError:
                    continue
                assert y == pytest.approx(result[output], rel=1e-9)
                met += 1
    assert met >= 2


def test_the_queue_rises_to_its_top_and_falls_to_nothing():
    got = scale_out_backlog()
    curve = dict(zip(got["sweep"].x, got["sweep"].values("queue")))
    assert curve[got["ready"]] == pytest.approx(got["backlog"]) == pytest.approx(max(curve.values())) and curve[0.0] == 0
    assert curve[got["over"]] == pytest.approx(0, abs=1e-9) and got["over"] == got["ready"] + got["drain"]
    for t, queued in curve.items():
        rising, falling = queued == pytest.approx(6 * t), queued == pytest.approx(720.72 - 4 * (t - 120.12), abs=1e-6)
        assert rising if t <= 120.12 else falling or (queued == 0 and t >= got["over"] - 1e-9)


def test_of_wait_and_of_work_by_hand():
    got = mixed_wait(rate=5.0, short=0.1, long=0.4, share=0.25)
    assert got["of_work"] == pytest.approx(0.1 / 0.175) and got["of_wait"] == pytest.approx(0.04 / 0.0475)
    assert got["wait_alone"] == pytest.approx(3.75 * 0.01 / (2 * (1 - 0.375))) and got["times"] == pytest.approx(got["wait"] / got["wait_alone"])


def test_a_lost_packet_by_hand():
    got = stream_loss(streams=2, rate=10.0, loss=0.1, repair=0.1)
    assert got["behind"] == pytest.approx(2) and got["shared"] == pytest.approx(1 - 0.9**3) and got["own"] == pytest.approx(1 - 0.9**2)
    assert got["times"] == pytest.approx(0.271 / 0.19)


def test_a_faster_protocol_by_hand():
    got = serialisation_share(slow=4e-3, fast=1e-3, model=5e-3)
    assert got["gain"] == pytest.approx(1.5) and got["alone"] == pytest.approx(4) and got["saved"] == pytest.approx(3e-3)
    assert got["saved_share"] == pytest.approx(1 / 3) and got["doubles_below"] == pytest.approx(2e-3)


def test_channels_and_streams_by_hand():
    got = sticky_channels()
    assert got["idle"] == pytest.approx(8 * (7 / 8) ** 6) and got["idle_in_turn"] == 2 and sticky_channels(clients=9)["idle_in_turn"] == 0
    stream = token_stream(text=10, streams=3, rate=2.0)
    assert stream["over_text"] == pytest.approx(stream["sse"] / 10) and stream["grpc_rate"] == pytest.approx(6 * stream["grpc"])
    setup = connection_setup(rtt=0.1, service=0.2, security="tls1.2")
    assert setup["times"] == pytest.approx(0.6 / 0.3) and setup["setup"] == pytest.approx(0.3)
