import itertools
from collections import defaultdict

import numpy as np
import pytest

from skdigits.inference import ctc
from skdigits.inference.beam import _Beam, beam_search
from skdigits.inference.patterns import Automaton


def random_scores(rng, n, n_frames, n_labels):
    return ctc.log_softmax(rng.normal(0, 2, (n, n_frames, n_labels)))


def all_sequences(scores):
    """The probability of every sequence, by going through all alignments."""
    n_frames, n_labels = scores.shape
    total = defaultdict(float)
    for path in itertools.product(range(n_labels), repeat=n_frames):
        merged = tuple(label for label, _ in itertools.groupby(path) if label != n_labels - 1)
        total[merged] += np.exp(scores[range(n_frames), path].sum())
    return {sequence: probability for sequence, probability in total.items() if probability}


def as_tuple(digits):
    return tuple(digits[digits >= 0].tolist())


def impossible_in_part(scores, rng):
    """Scores where one label in three is impossible, but not the blank."""
    never = rng.random(scores.shape) < 1 / 3
    never[..., -1] = False
    return ctc.log_softmax(np.where(never, -np.inf, scores))


@pytest.mark.parametrize("is_partly_impossible", [False, True])
def test_a_beam_as_wide_as_needed_finds_all_sequences_and_their_probabilities(
    is_partly_impossible,
):
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores = random_scores(rng, 3, 5, 3)
        if is_partly_impossible:
            scores = impossible_in_part(scores, rng)
        expected = [all_sequences(one) for one in scores]
        digits, found = beam_search(scores, 40)
        beam = _Beam(3, 40, 3)
        for probability in np.exp(scores).swapaxes(0, 1):
            beam.extend(probability)
        for i in range(3):
            sequences = [as_tuple(one) for one in digits[i][found[i]]]
            assert sorted(sequences) == sorted(expected[i])  # each one once
            probability = (beam.ends_blank[i] + beam.ends_digit[i])[found[i]]
            assert probability == pytest.approx([expected[i][one] for one in sequences])


def test_probabilities_in_a_long_beam_do_not_underflow():
    scores = random_scores(np.random.default_rng(1), 2, 3000, 11)
    digits, found = beam_search(scores)
    assert found.all()
    assert digits.shape[2] > 1000
    assert np.isfinite(ctc.log_probability_of(scores, digits)).all()


def test_without_a_possible_label_nothing_is_found():
    scores = random_scores(np.random.default_rng(2), 2, 40, 4)
    scores[1, 3] = -np.inf
    _, found = beam_search(scores)
    assert found.any(axis=1).tolist() == [True, False]


def test_with_a_pattern_the_best_prefixes_of_each_state_are_kept():
    """Five digits, of which only four can be seen: 4,000 shorter prefixes are more probable."""
    scores = random_scores(np.random.default_rng(3), 1, 24, 11)
    scores[0, ::6, 2] += 60
    scores[0, 1::6, 10] += 60
    scores = ctc.log_softmax(scores)
    digits, found = beam_search(scores, automaton=Automaton("ddddd"))
    assert found.all()
    assert {len(as_tuple(one)) for one in digits[0]} == {5}
    every = np.array([*itertools.product(range(10), repeat=5)])
    every = every[(every == 2).sum(axis=1) >= 4]  # of other texts, a digit that is seen is missing
    expected = every[ctc.log_probability_of(scores, every[np.newaxis])[0].argmax()]
    log_probability = ctc.log_probability_of(scores, digits)
    assert as_tuple(digits[0, log_probability.argmax()]) == tuple(expected)
    assert log_probability.max() < np.log(0.1)


def test_a_search_by_a_pattern_is_alike_alone_and_beside_others():
    scores = random_scores(np.random.default_rng(4), 4, 15, 11)
    for pattern in ("d+5", ["dd", "1ddd"]):
        together, found = beam_search(scores, automaton=Automaton(pattern))
        assert found.all()
        for i in range(4):
            alone, _ = beam_search(scores[i : i + 1], automaton=Automaton(pattern))
            expected = [as_tuple(one) for one in alone[0]]
            assert [as_tuple(one) for one in together[i]] == expected
            assert len(set(expected)) == 20


def test_a_pattern_that_a_long_line_does_not_match_is_found_without_underflow():
    scores = np.full((1, 300, 11), -100.0)
    scores[0, np.arange(300), np.where(np.arange(300) % 3, 10, 7)] = 0  # 100 sevens
    digits, found = beam_search(ctc.log_softmax(scores), automaton=Automaton("dd"))
    assert found.any()
    assert as_tuple(digits[0, 0]) == (7, 7)
