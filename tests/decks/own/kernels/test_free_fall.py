from kernels.declare import find


def test_a_second():
    assert find("free_fall")(height=9.81 / 2).outputs["duration"].value == 1
