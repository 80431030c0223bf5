"""What crosses the network: a month of requests uploaded as audio, against rounds of federated averaging.

    requests/s      a month's requests / (30 * 86,400 s)
    audio           requests * seconds * the codec's rate
    one round       a client fetches and sends one model; invited = reporting / (1 - dropout)

Speech travels encoded: the Opus codec's rates for wideband speech are 16 to 20 kbit/s (RFC 6716, section 2.1.1). Models are not compressed, and
whoever is invited fetches the model, whether it reports or not.
"""

from typing import Annotated

from kernels import Bound, Free, kernel


@kernel(
    kind="formula",
    outputs={
        "per_second": "1/s",
        "audio": "B",
        "audio_rate": "B/s",
        "model": "B",
        "upload_time": "s",
        "upload_time_8bit": "s",
        "invited": "",
        "round": "B",
        "month": "B",
        "ratio": "",
    },
)
def federated_traffic(
    requests: Annotated[float, Bound(low=1)] = 25e9,
    seconds: Annotated[float, Bound("s", low=0.01)] = 5.0,
    codec: Annotated[float, Bound("B/s", low=100), Free(1e3, 4e3)] = 2e3,
    parameters: Annotated[int, Bound(low=1)] = 10_000_000,
    dtype_bytes: Annotated[int, Bound("B", low=1, high=8)] = 4,
    uplink: Annotated[float, Bound("B/s", low=1)] = 1.25e6,
    reporting: Annotated[int, Bound(low=1)] = 1000,
    dropout: Annotated[float, Bound(low=0.0, high=0.99)] = 0.1,
    rounds: Annotated[int, Bound(low=1)] = 3000,
):
    """Requests per second, bytes of audio a month, and what federated rounds move instead: one client's update, a round, a month's rounds.

    codec: bytes a second of encoded speech; 8 to 32 kbit/s are in use, so it is free between these.
    uplink: one phone's bytes per second. invited: clients to start so that `reporting` are expected to finish. ratio: audio over federated bytes.
    """
    model = parameters * dtype_bytes
    invited = reporting / (1 - dropout)
    audio = requests * seconds * codec
    one = invited * model + reporting * model
    return {
        "per_second": requests / (30 * 86400),
        "audio": audio,
        "audio_rate": audio / (30 * 86400),
        "model": model,
        "upload_time": model / uplink,
        "upload_time_8bit": parameters / uplink,
        "invited": invited,
        "round": one,
        "month": rounds * one,
        "ratio": audio / (rounds * one),
    }
