"""Many customers beside many: linear in time, small in memory; ten thousand are measured by `make bench`."""

from tests.world.many_customers import make_many, measure_megabytes, measure_seconds


def test_twice_as_many_customers_take_about_twice_as_long() -> None:
    half, whole = make_many(600), make_many(1_200)
    measure_seconds(half)
    ratio = min(measure_seconds(whole) / measure_seconds(half) for _ in range(3))
    assert ratio < 3.5


def test_a_thousand_customers_beside_a_thousand_fit_into_little_memory() -> None:
    # What ten thousand may take, and a tenth of them a tenth.
    assert measure_megabytes(make_many(1_000)) < 50
