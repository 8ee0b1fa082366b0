import numpy as np
import pytest
from PIL import Image

from skdigits.inspection import CleaningDisplay
from skdigits.pictures import clean_line, clean_picture
from skdigits.pictures.cutting import cut_lines


@pytest.fixture
def pictures(digits):
    X, _ = digits
    large = [np.pad(row.reshape(8, 8), 2).repeat(8, axis=0).repeat(8, axis=1) for row in X[:30]]
    return [255 - picture for picture in large]


def test_pictures_are_drawn_beside_what_the_network_gets(pictures):
    display = CleaningDisplay.from_pictures(pictures[:5])
    drawn = [image.get_array() for image in display.ax_.images]
    assert len(drawn) == 10
    np.testing.assert_array_equal(drawn[2], pictures[1])
    np.testing.assert_array_equal(drawn[3], 255 - clean_picture(pictures[1]))
    assert [text.get_text() for text in display.ax_.texts] == ["0", "1", "2", "3", "4"]


def test_files_lines_and_a_choice_of_many(pictures, tmp_path):
    files = [tmp_path / f"{i}.png" for i in range(30)]
    for file, picture in zip(files, pictures, strict=True):
        line = np.hstack([picture, picture])
        Image.fromarray(line).save(file, save_all=True, append_images=[Image.fromarray(picture)])
    display = CleaningDisplay.from_pictures(files, output="line", n_pictures=4)
    assert display.captions == ["0.png", "9.png", "19.png", "29.png"]
    expected = clean_line(np.hstack([pictures[9], pictures[9]]))
    np.testing.assert_array_equal(display.images[1], expected)
    assert display.ax_.figure is display.figure_


def test_a_page_is_drawn_line_by_line_as_read_cuts_it(pictures, tmp_path):
    page = np.full((400, 300), 255, np.uint8)
    page[20:116, 10:202] = np.hstack(pictures[1:3])
    page[220:316, 60:252] = np.hstack(pictures[4:6])
    images, boxes = cut_lines(page)
    assert len(images) == 2
    Image.fromarray(page).save(tmp_path / "page.png")
    line = np.hstack(pictures[1:3])
    display = CleaningDisplay.from_pictures([tmp_path / "page.png", line], output="line")
    assert display.captions == ["page.png, line 1", "page.png, line 2", "1"]
    for drawn, expected in zip(display.images, [*images, clean_line(line)], strict=True):
        np.testing.assert_array_equal(drawn, expected)
    left, top, right, bottom = boxes[1]
    part = display.pictures[1]
    assert bottom - top < part.shape[0] < 2 * (bottom - top)
    assert (part < 128).sum() == (page[top:bottom, left:right] < 128).sum()


@pytest.mark.parametrize("output", ["digit", "line"])
def test_pictures_are_a_list_of_some(output):
    with pytest.raises(ValueError, match="should be a list of pictures or files; got str"):
        CleaningDisplay.from_pictures("page.png", output=output)
    with pytest.raises(ValueError, match="holds no picture"):
        CleaningDisplay.from_pictures([], output=output)
    with pytest.raises(ValueError, match="Unknown output 'lines'. Did you mean 'line'"):
        CleaningDisplay.from_pictures([np.zeros((9, 9))], output="lines")
