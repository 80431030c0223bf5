"""Whether a log in partitions keeps the events of one conversation in order.

    without a key    all n events in one of P partitions with chance P^-(n - 1); two that follow one another with 1 / P
    with the key     always

Order is kept within a partition alone (Kreps, Narkhede and Rao 2011, Kafka: a distributed messaging system for log processing, NetDB). Without a key
each event is taken to go to a partition at random.
"""

from typing import Annotated

from kernels import Bound, kernel


@kernel(kind="formula", outputs={"pair": "", "all": "", "keyed": "", "rate": "1/s", "bandwidth": "B/s", "of_measured": ""})
def partition_order(
    partitions: Annotated[int, Bound(low=1, high=100_000)] = 12,
    events: Annotated[int, Bound(low=1, high=1000)] = 8,
    total: Annotated[float, Bound("1/s", low=1e-6, high=1e9)] = 10_000.0,
    event_bytes: Annotated[float, Bound("B", low=1, high=1e8)] = 1000.0,
    measured: Annotated[float, Bound("1/s", low=1, high=1e10)] = 786_980.0,
):
    """The chance that a conversation's events lie in one partition, where no key says so, and what the events come to.

    pair: two that follow one another; all: all of them; keyed: the same with the conversation as the key. rate: of each partition.
    of_measured: of a measured rate of records.
    """
    return {
        "pair": 1 / partitions,
        "all": float(partitions) ** -(events - 1),
        "keyed": 1.0,
        "rate": total / partitions,
        "bandwidth": total * event_bytes,
        "of_measured": total / measured,
    }
