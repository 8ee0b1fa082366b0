import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from skdigits import DigitClassifier, load_pretrained, save
from skdigits.datasets import load_digits
from skdigits.inference import sessions

HEADER = """
import multiprocessing, os, pickle, sys
import numpy as np
import skdigits
from skdigits.datasets import load_digits

X, y = load_digits().images[:100], load_digits().target[:100]


def predict(model):
    return model.predict_proba(X)


def in_forks(function, count=4):
    # What the function returns, or the error that it raises, in forked processes.
    pipes = []
    for _ in range(count):
        read, write = os.pipe()
        if os.fork() == 0:
            try:
                found = function()
            except Exception as error:
                found = error
            with os.fdopen(write, "wb") as file:
                pickle.dump(found, file)
            os._exit(0)
        os.close(write)
        pipes.append(read)
    found = [pickle.load(os.fdopen(pipe, "rb")) for pipe in pipes]
    for _ in pipes:
        os.wait()
    return found
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    X, y = load_digits(return_X_y=True)
    classifier = DigitClassifier("compact", epochs=1, random_state=0)
    classifier.fit(X[:200].reshape(-1, 8, 8), y[:200])
    return save(classifier, tmp_path_factory.mktemp("model") / "model.skdigits")


def run(folder, code, *args):
    """Run a program; a process that hangs is an error."""
    script = folder / "script.py"
    script.write_text(HEADER + code)
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(script), *map(str, args)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert found.returncode == 0, found.stderr
    return found.stdout.split()


def test_a_session_has_no_threads_of_its_own_and_logs_errors_alone():
    session = sessions._make_session(load_pretrained("digit")._network, features=False)
    options = session.get_session_options()
    assert options.intra_op_num_threads == options.inter_op_num_threads == 1
    assert options.log_severity_level == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_forgets_the_sessions_of_its_parent():
    before = sessions._sessions
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
        child = os.fork()
    if not child:
        os._exit(sessions._sessions is before)
    assert os.waitpid(child, 0)[1] == 0
    assert sessions._sessions is before


def test_forked_processes_predict_as_their_parent(model, tmp_path):
    code = """
model = skdigits.load(sys.argv[1])
expected = predict(model)
print([np.array_equal(found, expected) for found in in_forks(lambda: predict(model))] == [True] * 4)
print("tensorflow" in sys.modules)
"""
    assert run(tmp_path, code, model) == ["True", "False"]


@pytest.mark.slow
def test_forked_processes_after_a_fit(model, tmp_path):
    """Networks of the package predict; what needs TensorFlow raises at once."""
    code = """
model = skdigits.DigitClassifier("compact", epochs=1, random_state=0).fit(X, y)
expected = predict(model)
print(all(np.array_equal(found, expected) for found in in_forks(lambda: predict(model))))
double = skdigits.DigitClassifier("compact", epochs=1, dtype="float64", random_state=0).fit(X, y)
for function in (lambda: model.fit(X, y), lambda: predict(double), model.to_keras):
    (error,) = in_forks(function, 1)
    print(type(error).__name__, "spawn" in str(error) and "forkserver" in str(error))
"""
    expected = ["True", *["RuntimeError", "True"] * 3]
    assert run(tmp_path, code) == expected


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_processes_of_multiprocessing(model, tmp_path, method):
    code = """
if __name__ == "__main__":
    model = skdigits.load(sys.argv[1])
    expected = predict(model)
    with multiprocessing.get_context(sys.argv[2]).Pool(2) as pool:
        found = pool.map(predict, [model] * 4)
    print(all(np.array_equal(part, expected) for part in found))
"""
    assert run(tmp_path, code, model, method) == ["True"]


SERVER = """
import json, sys, os
import numpy as np
import skdigits

model = skdigits.load(os.environ["MODEL"])
model.predict(np.zeros((1, 8, 8), np.uint8))  # before the workers are forked


def app(environ, start_response):
    content = environ["wsgi.input"].read(64)
    image = np.frombuffer(content, np.uint8).reshape(1, 8, 8)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([os.getpid(), model.predict(image).tolist()]).encode()]
"""


@pytest.mark.slow
def test_gunicorn_with_preload(model, tmp_path, monkeypatch):
    import json

    pytest.importorskip("gunicorn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "server.py").write_text(SERVER)
    monkeypatch.setenv("MODEL", str(model))
    options = ["--preload", "--workers", "2", "--bind", f"127.0.0.1:{port}", "--timeout", "30"]
    command = [sys.executable, "-m", "gunicorn", *options, "server:app"]
    server = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        from skdigits import load

        images = load_digits().images[:20]
        expected = load(model).predict(images)
        found = []
        for image in images:
            found += _ask(f"http://127.0.0.1:{port}", image.tobytes())[1]
        assert found == expected.tolist()
        assert json.dumps(found)
    finally:
        server.terminate()
        server.wait()


def _ask(address, content):
    import json

    for attempt in range(100):
        try:
            with urllib.request.urlopen(address, content, timeout=10) as answer:
                return json.load(answer)
        except OSError:
            if attempt == 99:
                raise
            time.sleep(0.1)
    return None


@pytest.mark.slow
def test_sixteen_threads_while_another_one_fits(model):
    from skdigits import load

    classifier, images = load(model), load_digits().images
    parts = [images[i::16] for i in range(16)]
    expected = [classifier.predict_proba(part) for part in parts]
    other = DigitClassifier("tiny", epochs=3, random_state=0)
    fit = threading.Thread(target=other.fit, args=(images, load_digits().target))
    fit.start()

    def predict_often(part):
        return [classifier.predict_proba(part) for _ in range(20)]

    with ThreadPoolExecutor(16) as pool:
        for often, once in zip(pool.map(predict_often, parts), expected, strict=True):
            for found in often:
                np.testing.assert_allclose(found, once, atol=1e-6)
    fit.join()
    assert other.n_iter_ == 3
