import pytest

from kernels.library.training.federated_traffic import federated_traffic


def test_by_hand():
    found = federated_traffic(requests=30 * 86400 * 10, parameters=1000, dtype_bytes=4, uplink=1000, reporting=90, dropout=0.1, rounds=2)
    assert found["per_second"] == 10
    assert found["audio_rate"] == 10 * 5 * 16_000 / 8  # 16 kbit/s
    assert found["upload_time"] == 4 and found["upload_time_8bit"] == 1
    assert found["invited"] == pytest.approx(100) and found["round"] == pytest.approx(190 * 4000)
    assert found["month"] == pytest.approx(2 * 190 * 4000)
