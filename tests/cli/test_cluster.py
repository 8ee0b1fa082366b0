"""Searching and predicting on a cluster of two worker processes, one of which is killed."""

import json
import re
import subprocess
import sys

import joblib
import pandas as pd
import pytest

import skdigits
from skdigits import DigitClassifier, EpochSearchCV, datasets

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

# In a script of its own: the workers are processes that import it.
SCRIPT = """
import json, os, signal, sys, threading, time
import joblib
from dask.distributed import Client, LocalCluster
from skdigits import DigitClassifier, EpochSearchCV, cli, datasets

def threads():
    from skdigits.training.tensorflow import tf
    return tf.config.threading.get_intra_op_parallelism_threads()

def kill_a_busy_worker(client, killed):
    pids = client.run(os.getpid)
    while True:
        busy = [worker for worker, tasks in client.processing().items() if tasks]
        if busy:
            time.sleep(1)
            os.kill(pids[busy[0]], signal.SIGKILL)
            killed.append(busy[0])
            return
        time.sleep(0.05)

OPTIONS = "--epochs 1,2 --architecture compact --folds 2".split()

def command(*arguments):
    try:
        cli.main(list(arguments))
    except SystemExit as end:
        assert not end.code

def scores(search):
    return search.cv_results_["mean_test_score"].tolist()

if __name__ == "__main__":
    X, y = datasets.load_digits(return_X_y=True)
    X, y = X[:300], y[:300]
    grid = {"epochs": [3, 1, 2], "batch_size": [16, 64]}
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(processes=True, **options) as cluster, Client(cluster) as client:
        search = EpochSearchCV(DigitClassifier(random_state=0), grid, cv=2)
        with joblib.parallel_config("dask"):
            search.fit(X, y)
        found = {"threads": list(client.run(threads).values()), "scores": scores(search)}
        found |= {"best": search.best_params_, "killed": []}

        grid = {"epochs": [8, 40], "batch_size": [16, 24, 32]}
        search = EpochSearchCV(DigitClassifier(random_state=0), grid, cv=2, refit=False)
        client.amm.stop()
        arguments = client, found["killed"]
        threading.Thread(target=kill_a_busy_worker, args=arguments, daemon=True).start()
        with joblib.parallel_config("dask", scatter=[X, y]):
            search.fit(X, y)
        found["after_a_kill"] = scores(search)
        client.amm.start()
        client.wait_for_workers(2, timeout=120)  # another one takes its place

        folder, data = sys.argv[1:]
        command("search", data, "-o", folder, *OPTIONS, "--dask", cluster.scheduler_address)
        model, submission = f"{folder}/model.skdigits", f"{folder}/submission.csv"
        command("predict", model, data, "-o", submission, "--dask", cluster.scheduler_address)
        found["saves memory"] = client.amm.running()
    print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the script found, its folder, its output, and its data."""
    folder = tmp_path_factory.mktemp("dask")
    frame = datasets.load_digits(as_frame=True).frame
    frame[:400].to_csv(folder / "train.csv", index=False)
    (folder / "script.py").write_text(SCRIPT)
    command = [sys.executable, folder / "script.py", folder / "search", folder / "train.csv"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1]), folder / "search", run.stdout


def search(digits, **grid):
    """Search in a process of this machine's with one thread, as a worker has."""
    search = EpochSearchCV(DigitClassifier(random_state=0), grid, cv=2, refit=False, n_jobs=2)
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        return search.fit(*digits)


def test_finds_what_one_process_finds(found, digits):
    local = search(digits, epochs=[3, 1, 2], batch_size=[16, 64])
    assert found[0]["scores"] == local.cv_results_["mean_test_score"].tolist()
    assert found[0]["best"] == local.cv_results_["params"][local.best_index_]


def test_a_worker_keeps_to_its_cores(found):
    assert found[0]["threads"] == [1, 1]


def test_a_killed_worker_costs_no_result(found, digits):
    assert len(found[0]["killed"]) == 1
    local = search(digits, epochs=[8, 40], batch_size=[16, 24, 32])
    assert found[0]["after_a_kill"] == local.cv_results_["mean_test_score"].tolist()


def test_the_commands_use_the_cluster(found):
    _, folder, shown = found
    assert len(re.findall(r"Workers at tcp://\S+: 2\.", shown)) == 2
    assert found[0]["saves memory"]  # as it was before
    submission = pd.read_csv(folder / "submission.csv")
    assert submission["ImageId"].tolist() == list(range(1, 401))
    X, _ = datasets.load_data(folder.parent / "train.csv", return_X_y=True)
    model = skdigits.load(folder / "model.skdigits")
    assert submission["Label"].tolist() == model.predict(X).tolist()
