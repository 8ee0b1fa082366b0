import numpy as np
from matplotlib.colors import to_rgb

from skdigits.inspection import SequenceGridDisplay


def test_sequences_with_the_surest_mistakes_first(recognizer):
    X = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((4, 10, 20), np.uint8)
    recognizer.fit(X)
    display = SequenceGridDisplay.from_estimator(recognizer, X, ["12", "4", "46", ""])
    assert display.captions == ["45 (0.80), is 46", "3 (0.60), is 4", "nothing (0.70)", "12 (0.90)"]
    assert [image[0, 0] for image in recognizer.located] == [2, 1, 3, 0]
    assert len(display.axes_[0].patches) == 1
    box = display.axes_[0].patches[0]
    assert (box.get_xy(), box.get_width(), box.get_height()) == ((0.5, 1.5), 4, 7)
    assert box.get_edgecolor()[:3] == to_rgb("tab:red")
    display = SequenceGridDisplay.from_estimator(recognizer, X, n_images=2)
    assert display.captions == ["3 (0.60)", "nothing (0.70)"]
    flat = SequenceGridDisplay.from_estimator(recognizer, X.reshape(4, -1), n_images=2)
    np.testing.assert_array_equal(flat.images, display.images)
