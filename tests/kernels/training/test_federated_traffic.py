import random

import pytest

from kernels.library.training.federated_traffic import federated_traffic


@pytest.mark.oracle("federated_traffic", "clients invited one by one, some of whom drop out")
def test_clients_one_by_one():
    dice, invited, rounds = random.Random(5), 0, 400
    for _ in range(rounds):
        reported = 0
        while reported < 50:
            invited += 1
            reported += dice.random() >= 0.2
    found = federated_traffic(reporting=50, dropout=0.2, parameters=1000, dtype_bytes=4, rounds=rounds)
    assert found["invited"] == pytest.approx(invited / rounds, rel=0.01)
    assert found["month"] == pytest.approx(4000 * (invited + 50 * rounds), rel=0.01)  # each fetches the model, 50 a round send one


def test_by_hand():
    found = federated_traffic(requests=30 * 86400 * 10, parameters=1000, dtype_bytes=4, uplink=1000, reporting=90, dropout=0.1, rounds=2)
    assert found["per_second"] == 10
    assert found["audio_rate"] == 10 * 5 * 16_000 / 8  # 16 kbit/s
    assert found["upload_time"] == 4 and found["upload_time_8bit"] == 1
    assert found["invited"] == pytest.approx(100) and found["round"] == pytest.approx(190 * 4000)
    assert found["month"] == pytest.approx(2 * 190 * 4000)
