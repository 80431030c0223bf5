"""Round trips against messages that are sent back and forth on a clock."""

import heapq

import pytest

from kernels import plot
from kernels.library.serving.connection_setup import connection_setup

FLIGHTS = {  # client's messages, each answered before the next: RFC 9293, 5246, 8446, 9001
    "plain": ["SYN", "request"],
    "tls1.2": ["SYN", "ClientHello", "ClientKeyExchange, Finished", "request"],
    "tls1.3": ["SYN", "ClientHello", "Finished, request"],
    "quic": ["Initial", "Finished, request"],
}


@pytest.mark.oracle("connection_setup", "the handshakes' messages on a clock, and requests that take the connection that is free first")
@pytest.mark.parametrize("security", FLIGHTS)
def test_messages_on_a_clock(security):
    clock = 0.0
    for _ in FLIGHTS[security]:
        clock += 0.02 + 0.02
    got = connection_setup(rtt=0.04, service=0.1, security=security)
    assert got["first"] == pytest.approx(clock + 0.1) and got["round_trips"] == len(FLIGHTS[security])
    assert got["first"] == pytest.approx(got["setup"] + got["reused"])


@pytest.mark.parametrize(("requests", "connections"), [(12, 6), (13, 6), (1, 6), (5, 1), (100, 7)])
def test_requests_take_whichever_connection_is_free(requests, connections):
    free = [0.0] * connections
    for _ in range(requests):
        heapq.heapreplace(free, free[0] + 0.05 + 0.03)
    got = connection_setup(requests=requests, connections=connections)
    assert got["pooled"] == pytest.approx(max(free)) and got["one_by_one"] == pytest.approx(requests * 0.08)
    assert got["multiplexed"] == pytest.approx(0.08)


def test_the_figure():
    assert "HTTP/2" in plot.draw(connection_setup, connection_setup()).alt
