import itertools
import operator
import re
from collections import defaultdict

import numpy as np
import pytest

from skdigits.inference import ctc
from skdigits.inference.patterns import Automaton


def random_scores(rng, n, n_frames, n_labels, spread=2):
    return ctc.log_softmax(rng.normal(0, spread, (n, n_frames, n_labels)))


def all_sequences(scores, n_frames):
    """The probability of every sequence, by going through all alignments."""
    n_labels = scores.shape[1]
    total = defaultdict(float)
    for path in itertools.product(range(n_labels), repeat=n_frames):
        merged = tuple(label for label, _ in itertools.groupby(path) if label != n_labels - 1)
        total[merged] += np.exp(scores[range(n_frames), path].sum())
    return total


def as_tuple(digits):
    return tuple(digits[digits >= 0].tolist())


def test_the_most_probable_sequences_and_their_probabilities():
    rng = np.random.default_rng(0)
    for _ in range(20):
        n_frames = np.array([5, 4, 1])
        scores = ctc.end_after(random_scores(rng, 3, 5, 4), n_frames)
        best, log_probability = ctc.most_probable(scores, 1)
        several, several_log_probability = ctc.most_probable(scores, 3)
        for i in range(3):
            total = all_sequences(scores[i], n_frames[i])
            assert sum(total.values()) == pytest.approx(1)
            assert as_tuple(best[i, 0]) == max(total, key=total.get)
            assert np.exp(log_probability[i, 0]) == pytest.approx(max(total.values()))
            found = [as_tuple(digits) for digits in several[i]]
            assert len(set(found)) == 3
            expected = [total[sequence] for sequence in found]
            assert np.exp(several_log_probability[i]) == pytest.approx(expected)
            assert expected == sorted(expected, reverse=True)


def test_one_sequence_is_the_first_of_several():
    scores = random_scores(np.random.default_rng(1), 50, 12, 11, spread=3)
    one, log_probability = ctc.most_probable(scores, 1)
    several, several_log_probability = ctc.most_probable(scores, 10)
    assert [as_tuple(d[0]) for d in one] == [as_tuple(d[0]) for d in several]
    np.testing.assert_allclose(log_probability[:, 0], several_log_probability[:, 0])


def test_probabilities_of_long_sequences_do_not_underflow():
    n_frames = 4000
    scores = np.full((1, n_frames, 11), np.log(0.5 / 10))
    labels = np.where(np.arange(n_frames) % 2, 10, np.arange(n_frames) // 2 % 10)
    scores[0, np.arange(n_frames), labels] = np.log(0.5)
    digits = ctc.best_path(scores)
    assert digits.tolist() == [[k % 10 for k in range(n_frames // 2)]]
    (log_probability,) = ctc.log_probability_of(scores, digits)
    # The alignment itself, and those with one digit or blank moved.
    assert n_frames * np.log(0.5) < log_probability < n_frames * np.log(0.62)


def test_too_few_frames_have_probability_zero():
    scores = random_scores(np.random.default_rng(2), 1, 2, 4)
    assert ctc.log_probability_of(scores, np.array([[1, 1]]))[0] == -np.inf
    assert np.isfinite(ctc.log_probability_of(scores, np.array([[1, 2]]))[0])
    assert np.isfinite(ctc.log_probability_of(scores, np.array([[-1, -1]]))[0])


def test_repeated_digits_need_a_blank_between():
    sure = np.full((1, 5, 3), -20.0)
    for frame, label in enumerate([0, 0, 2, 0, 1]):
        sure[0, frame, label] = 0
    sure = ctc.log_softmax(sure)
    assert ctc.best_path(sure).tolist() == [[0, 0, 1]]
    assert as_tuple(ctc.most_probable(sure, 2)[0][0, 0]) == (0, 0, 1)
    np.testing.assert_allclose(ctc.digit_centres(sure[0], [0, 0, 1]), [1, 3.5, 4.5])


def test_scores_that_are_not_numbers_have_no_probability():
    scores = np.full((2, 3, 11), np.nan)
    for top in (1, 3):
        digits, log_probability = ctc.most_probable(scores, top)
        assert digits.shape[:2] == (2, top)
        assert np.isnan(log_probability).all()


def test_a_line_is_read_alike_alone_and_beside_lines_of_any_length():
    rng = np.random.default_rng(3)
    n_frames = np.array([1, 2, 29, 3, 1700, 10_000])
    scores = rng.normal(0, 1, (len(n_frames), n_frames.max(), 11))
    scores[..., -1] += 20
    scores[:, ::10] += 40 * np.eye(11)[rng.integers(0, 10, scores[:, ::10].shape[:2])]
    scores = ctc.end_after(ctc.log_softmax(scores), n_frames)
    for top, n in ((1, 6), (3, 4)):
        together = ctc.most_probable(scores[:n, : n_frames[:n].max()], top)
        for i in range(n):
            alone = ctc.most_probable(scores[i : i + 1, : n_frames[i]], top)
            assert list(map(as_tuple, together[0][i])) == list(map(as_tuple, alone[0][0]))
            np.testing.assert_allclose(together[1][i], alone[1][0], rtol=1e-9)
        assert (together[1] <= 0).all()


def test_rounding_makes_no_probability_above_1():
    scores = np.full((1, 2000, 11), -np.inf)
    scores[..., -1] = 1e-15  # as a softmax may be rounded
    assert ctc.most_probable(scores, 1)[1] == 0


def three_best(scores, width):
    """The three most probable of the sequences in a beam of some width."""
    digits, found = ctc.beam_search(scores, width)
    n, width, longest = digits.shape
    repeated = np.repeat(scores, width, axis=0)
    probability = ctc.log_probability_of(repeated, digits.reshape(-1, longest)).reshape(n, width)
    best = np.argsort(-np.where(found, probability, -np.inf), axis=1)[:, :3]
    return [{as_tuple(digits[i, j]) for j in best[i]} for i in range(n)]


def test_the_beam_is_wide_enough_for_the_three_most_probable_sequences():
    scores = random_scores(np.random.default_rng(1), 60, 15, 11)
    expected = three_best(scores, 60)
    digits, _ = ctc.most_probable(scores, 3)
    found = [{as_tuple(one) for one in several} for several in digits]
    assert sum(map(operator.ne, found, expected)) <= 10
    assert sum(map(operator.ne, three_best(scores, 10), expected)) > 15  # they are hard enough


def test_an_image_of_one_frame_has_as_many_sequences_as_may_be_asked_for():
    scores = random_scores(np.random.default_rng(0), 5, 1, 11)
    digits, log_probability = ctc.most_probable(scores, ctc.MOST_SEQUENCES)
    assert np.isfinite(log_probability).all()
    assert {len({as_tuple(one) for one in several}) for several in digits} == {10}


def test_sequences_are_replaced_by_longer_or_shorter_ones():
    digits = np.array([[[1, 2]], [[3, -1]]])
    longer = ctc.with_others(digits, [1], np.array([[[4, 5, 6]]]))
    assert longer.tolist() == [[[1, 2, -1]], [[4, 5, 6]]]
    assert ctc.with_others(digits, [0], np.array([[[7]]])).tolist() == [[[7, -1]], [[3, -1]]]


def test_centres_of_digits_are_those_of_the_most_probable_alignment():
    rng = np.random.default_rng(3)
    for digits in ([0, 1], [1, 1, 0]):
        scores = random_scores(rng, 1, 7, 3)[0]
        best, found = -np.inf, None
        for path in itertools.product(range(3), repeat=7):
            merged = [(k, len(list(group))) for k, group in itertools.groupby(path)]
            total = scores[range(7), path].sum()
            if [k for k, _ in merged if k < 2] == digits and total > best:
                best, ends = total, np.cumsum([length for _, length in merged])
                found = [
                    end - length / 2 for (k, length), end in zip(merged, ends, strict=True) if k < 2
                ]
        np.testing.assert_allclose(ctc.digit_centres(scores, digits), found)
    assert ctc.digit_centres(scores, []).shape == (0,)


def test_what_is_impossible_has_probability_zero():
    scores = np.full((1, 4, 4), -np.inf)
    scores[..., 2] = 0  # certainly the digit 2
    found = ctc.log_probability_of(np.repeat(scores, 3, axis=0), np.array([[1], [2], [-1]]))
    assert found.tolist() == [-np.inf, 0, -np.inf]
    assert ctc.most_probable(scores, 1)[0].tolist() == [[[2]]]


def test_several_sequences_per_image_are_computed_at_once():
    rng = np.random.default_rng(4)
    scores = random_scores(rng, 3, 9, 11)
    digits = rng.integers(0, 3, (3, 5, 4))
    digits[:, 1:3, 2:] = digits[:, 3] = -1
    together = ctc.log_probability_of(scores, digits)
    assert together.shape == (3, 5)
    for k in range(5):
        np.testing.assert_allclose(ctc.log_probability_of(scores, digits[:, k]), together[:, k])


@pytest.mark.parametrize("spread", [3, 30, 100])
def test_small_probabilities_do_not_underflow(spread):
    """The reference adds logarithms, state by state."""
    rng = np.random.default_rng(5)
    scores = random_scores(rng, 2, 70, 5, spread=spread)
    digits = rng.integers(0, 4, (2, 12))
    for one, sequence, found in zip(
        scores, digits, ctc.log_probability_of(scores, digits), strict=True
    ):
        states = [4, *itertools.chain.from_iterable((digit, 4) for digit in sequence)]
        reached = {0: 0.0}
        for frame in one:
            moved = {}
            for state, before in reached.items():
                for later in range(state, min(state + 3, len(states))):
                    if later == state + 2 and states[later] in (4, states[state]):
                        continue
                    total = before + frame[states[later]]
                    moved[later] = np.logaddexp(moved.get(later, -np.inf), total)
            reached = moved
        last = len(states) - 1
        assert found == pytest.approx(np.logaddexp(reached[last], reached[last - 1]))


def test_the_probability_in_views_is_the_mean():
    rng = np.random.default_rng(6)
    n_disagree = 0
    for _ in range(30):
        views = np.stack([random_scores(rng, 2, 2, 3) for _ in range(3)])
        n_disagree += len({as_tuple(ctc.best_path(view)[0]) for view in views}) > 1
        several, several_log_probability = ctc.most_probable(views, 4)
        best, log_probability = ctc.most_probable(views, 1)
        for i in range(2):
            totals = [all_sequences(view[i], 2) for view in views]
            means = {one: np.mean([total[one] for total in totals]) for one in totals[0]}
            expected = sorted(means, key=means.get, reverse=True)[:4]
            assert [as_tuple(digits) for digits in several[i]] == expected
            found = np.exp(several_log_probability[i])
            assert found == pytest.approx([means[one] for one in expected])
            assert as_tuple(best[i, 0]) == expected[0]
            assert np.exp(log_probability[i, 0]) == pytest.approx(means[expected[0]])
    assert n_disagree > 10


def test_views_of_which_one_has_no_numbers_have_no_probability():
    views = np.stack([random_scores(np.random.default_rng(7), 2, 4, 11) for _ in range(3)])
    views[2, 1] = np.nan
    for top in (1, 3):
        _, log_probability = ctc.most_probable(views, top)
        assert np.isfinite(log_probability[0]).all()
        assert np.isnan(log_probability[1]).all()


def test_views_that_all_disagree():
    scores = np.full((2, 1, 1, 11), -30.0)
    scores[0, ..., 4] = scores[1, ..., 5] = 0
    scores[1, ..., 6] = -1
    digits, log_probability = ctc.most_probable(ctc.log_softmax(scores), 1)
    assert digits.tolist() == [[[4]]]
    assert np.exp(log_probability) == pytest.approx(0.5)


# Sequences of the labels 0, 1 and 2 that match, as a regular expression.
PATTERNS = {
    "dd": "..",
    "d+": ".+",
    "1d+": "1.+",
    "d+2": ".+2",
    "d.1d": ".1.",
    ("dd", "0ddd"): "..|0...",
    "d+.dd": ".{3,}",
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_most_probable_sequences_that_match_a_pattern(pattern):
    rng = np.random.default_rng(8)
    automaton = Automaton(pattern, characters="012")
    for _ in range(4):
        scores = random_scores(rng, 2, 6, 4, spread=3)
        best, log_probability = ctc.most_probable(scores, 1, automaton)
        several, several_log_probability = ctc.most_probable(scores, 3, automaton)
        for i in range(2):
            total = {
                one: probability
                for one, probability in all_sequences(scores[i], 6).items()
                if re.fullmatch(PATTERNS[pattern], "".join(map(str, one)))
            }
            expected = sorted(total, key=total.get, reverse=True)[:3]
            assert as_tuple(best[i, 0]) == expected[0]
            assert [as_tuple(one) for one in several[i]] == expected
            found = np.exp([log_probability[i, 0], *several_log_probability[i]])
            assert found == pytest.approx([total[one] for one in expected[:1] + expected])


def test_a_sign_with_a_label_is_decoded_as_a_digit():
    rng = np.random.default_rng(9)
    automaton = Automaton("d+.d", characters="01.")
    scores = random_scores(rng, 5, 5, 4)
    digits, _ = ctc.most_probable(scores, 1, automaton)
    for one, frames in zip(digits, scores, strict=True):
        total = {
            text: probability
            for sequence, probability in all_sequences(frames, 5).items()
            if (text := automaton.text("".join("01."[label] for label in sequence)))
        }
        found = automaton.text("".join("01."[label] for label in as_tuple(one[0])))
        assert re.fullmatch(r"\d+\.\d", found)
        assert found == max(total, key=total.get)


def test_the_probability_of_a_matching_sequence_is_the_mean_of_the_views():
    rng = np.random.default_rng(10)
    automaton = Automaton("dd", characters="01")
    for _ in range(10):
        views = np.stack([random_scores(rng, 2, 4, 3) for _ in range(3)])
        for top in (1, 4):
            digits, log_probability = ctc.most_probable(views, top, automaton)
            for i in range(2):
                totals = [all_sequences(view[i], 4) for view in views]
                pairs = itertools.product((0, 1), repeat=2)
                means = {one: np.mean([total[one] for total in totals]) for one in pairs}
                expected = sorted(means, key=means.get, reverse=True)[:top]
                assert [as_tuple(one) for one in digits[i]] == expected
                found = np.exp(log_probability[i])
                assert found == pytest.approx([means[one] for one in expected])


def test_sequences_that_cannot_match_are_empty():
    n_frames = np.array([4, 2, 1])
    scores = ctc.end_after(random_scores(np.random.default_rng(11), 3, 4, 11), n_frames)
    for top in (1, 3):
        digits, log_probability = ctc.most_probable(scores, top, Automaton(["ddd", "77"]))
        assert np.isneginf(log_probability).all(axis=1).tolist() == [False, True, True]
        assert (digits[1:] == -1).all()
        assert len(as_tuple(digits[0, 0])) == 3
    scores[..., 1:7] = -np.inf
    digits, log_probability = ctc.most_probable(scores, 4, Automaton("d"))
    assert np.isfinite(log_probability).all()
    digits, log_probability = ctc.most_probable(scores, 3, Automaton(["7", "8", "1"]))
    assert np.isneginf(log_probability).tolist() == [[False, False, True]] * 3
    assert (digits[:, 2] == -1).all()


def test_scores_that_are_not_numbers_have_no_probability_with_a_pattern():
    scores = np.stack([random_scores(np.random.default_rng(12), 2, 4, 11) for _ in range(2)])
    scores[1, 1] = np.nan
    for top in (1, 3):
        _, log_probability = ctc.most_probable(scores, top, Automaton("dd"))
        assert np.isfinite(log_probability[0]).all()
        assert not (log_probability[1] > -np.inf).any()
