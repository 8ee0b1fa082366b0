import numpy as np
import pytest

from skdigits.synthesis.pen import SIGNS
from skdigits.synthesis.symbols import AFTER, BEFORE, JOINED, NONE, SIGN, Symbols


def symbols_of(rows, seed=0):
    return Symbols.around(np.array(rows), np.random.default_rng(seed))


def test_digits_keep_their_order():
    symbols = symbols_of([[1, 2, 3], [NONE] * 3, [4, NONE, NONE]] * 20)
    digits = symbols.is_digit
    assert symbols.value[digits].tolist() == [1, 2, 3, 4] * 20
    assert symbols.n_left[digits].tolist() == [2, 1, 0, 0] * 20
    assert (symbols.line[digits] % 3).tolist() == [0, 0, 0, 2] * 20
    assert (np.diff(symbols.line) >= 0).all()
    same = np.diff(symbols.line) == 0
    np.testing.assert_array_equal(symbols.before[1:][same], symbols.value[:-1][same])
    np.testing.assert_array_equal(symbols.after[:-1][same], symbols.value[1:][same])
    assert (symbols.before[1:][~same] == NONE).all()
    assert (symbols.after[:-1][~same] == NONE).all()


def test_the_second_sign_after_an_amount_is_a_dash():
    symbols = symbols_of([[7]] * 2000)
    before, value, after = symbols.before, symbols.value, symbols.after
    first = (value >= SIGN) & (before == NONE)
    last = (value >= SIGN) & (before == 7)
    second = (value >= SIGN) & (before >= SIGN)
    assert (after[first] == 7).all()
    kinds = [{SIGNS[i - SIGN] for i in value[chosen]} for chosen in (first, last, second)]
    assert kinds == [set(BEFORE), set(AFTER), {"-"}]
    shares = [chosen.sum() / 2000 for chosen in (first, last, second)]
    np.testing.assert_allclose(shares, [0.12, 0.16, 0.04], atol=0.02)


def test_texts_have_the_signs_that_are_asked_for():
    minus, dollar = (SIGN + SIGNS.index(sign) for sign in "-$")
    none = np.full(6, NONE)
    symbols = Symbols(
        np.array([0, 0, 0, 2, 2, 2]),
        np.array([dollar, 1, 2, minus, 3, 4]),
        *(none, none, none),
        np.array([2, 0, 2]),
    )
    point = np.array(["", ".", "", "", ",", "."])
    assert symbols.texts(point, "") == ["12", "", "34"]
    assert symbols.texts(point, ".") == ["1.2", "", "34."]
    assert symbols.texts(point, "-,$") == ["$12", "", "-3,4"]


def test_lines_without_digits_have_no_signs():
    assert not len(symbols_of([[NONE, NONE]] * 100).line)


def test_the_last_two_digits_of_few_lines_are_raised():
    symbols, rng = symbols_of([[1, 2, 3]] * 2000 + [[1, 2, NONE]] * 2000), np.random.default_rng(0)
    is_raised = symbols.raised(rng)
    assert set(symbols.value[is_raised]) == {2, 3}
    assert symbols.line[is_raised].max() < 2000
    assert is_raised.sum() / 2 / 2000 == pytest.approx(0.04, abs=0.015)


def test_some_digits_are_joined_to_the_next_one():
    symbols = symbols_of([list(range(10))] * 50)
    is_joined = symbols.joined(np.ones(len(symbols.line)), np.random.default_rng(0))
    assert set(symbols.before[is_joined]) == set(JOINED)
    assert (symbols.value[is_joined] < SIGN).all()
    assert not symbols.joined(np.zeros(len(symbols.line)), np.random.default_rng(0)).any()


def test_points_stand_where_amounts_have_them():
    symbols = symbols_of([[1, 2, 3, 4, 5]] * 3000)
    has_point = symbols.with_points(np.random.default_rng(0))
    assert (symbols.value[has_point] < SIGN).all()
    shares = [has_point[symbols.value == digit].mean() for digit in range(1, 6)]
    np.testing.assert_allclose(shares, [0.02, 0.3, 0.3, 0.02, 0.08 * 0.84], atol=0.02)
    assert not has_point[(symbols.n_left == 0) & (symbols.after != NONE)].any()
