import numpy as np


def test_export_writes_a_network_that_predicts_as_the_model(run, trained, csv_folder, tmp_path):
    import onnxruntime

    from skdigits import load
    from skdigits.datasets import load_data

    model, file = trained / "model.skdigits", tmp_path / "digits.onnx"
    assert run("export", model, "-o", file) == 0
    X = load_data(csv_folder, subset="test").images
    (found,) = onnxruntime.InferenceSession(file).run(None, {"pixels": X[..., np.newaxis]})
    np.testing.assert_allclose(found, load(model).predict_proba(X), atol=1e-6)


def test_export_refuses_other_formats_and_files(run, trained, tmp_path, capsys):
    model = trained / "model.skdigits"
    assert run("export", model, "-o", tmp_path / "model.h5") == 2
    assert "should end in .onnx or .keras or .tflite" in capsys.readouterr().err
    assert run("export", trained / "metrics.json", "-o", tmp_path / "model.onnx") == 2
    assert "cannot be read as a file written by skdigits.save" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
