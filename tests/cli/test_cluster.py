"""Searching and predicting on a cluster of two worker processes, one of which is killed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import skdigits
from skdigits import DigitClassifier, EpochSearchCV, datasets

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

N_PICTURES = 150

# In a script of its own: the workers are processes that import it.
SCRIPT = """
import contextlib, io, json, os, signal, sys, threading, time
import joblib
from dask.distributed import Client, LocalCluster
from skdigits import DigitClassifier, EpochSearchCV, cli, cores, datasets, load_pretrained, save

def threads():
    from skdigits.training.tensorflow import tf
    return tf.config.threading.get_intra_op_parallelism_threads()

def kill_a_busy_worker(client, killed, seconds=1.0):
    pids = client.run(os.getpid)
    while True:
        busy = [worker for worker, tasks in client.processing().items() if tasks]
        if busy:
            time.sleep(seconds)
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

        cores.PATIENCE = 0
        digit = f"{folder}/digit.skdigits"
        save(load_pretrained("digit"), digit)
        for name, command_line in {
            "read": ["read", f"{folder}/../pictures"],
            "labels": ["predict", digit, f"{folder}/../pictures", "-o", f"{folder}/labels.csv"],
        }.items():
            soon = *arguments, 0.2
            killer = threading.Thread(target=kill_a_busy_worker, args=soon, daemon=True)
            killer.start()
            with contextlib.redirect_stdout(io.StringIO()) as shown:
                command(*command_line, "--dask", cluster.scheduler_address)
            found[name] = shown.getvalue()
            killer.join(60)
            client.wait_for_workers(2, timeout=120)
    print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the script found, its folder, its output, and its data."""
    folder = tmp_path_factory.mktemp("dask")
    frame = datasets.load_digits(as_frame=True).frame
    frame[:400].to_csv(folder / "train.csv", index=False)
    (folder / "script.py").write_text(SCRIPT)
    (folder / "pictures").mkdir()
    for i, image in enumerate(datasets.load_digits().images[:N_PICTURES]):
        picture = Image.fromarray(np.pad(255 - image, 4, constant_values=255))
        picture.resize((320, 320)).save(folder / "pictures" / f"{i:03d}.png")
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


def test_killed_workers_cost_no_result_of_a_search(found, digits):
    assert len(found[0]["killed"]) == 3
    local = search(digits, epochs=[8, 40], batch_size=[16, 24, 32])
    assert found[0]["after_a_kill"] == local.cv_results_["mean_test_score"].tolist()


def test_the_commands_use_the_cluster(found):
    _, folder, shown = found
    assert len(re.findall(r"^Workers at tcp://\S+: 2\.$", shown, re.MULTILINE)) == 2
    assert found[0]["saves memory"]  # as it was before
    submission = pd.read_csv(folder / "submission.csv")
    assert submission["ImageId"].tolist() == list(range(1, 401))
    X, _ = datasets.load_data(folder.parent / "train.csv", return_X_y=True)
    model = skdigits.load(folder / "model.skdigits")
    assert submission["Label"].tolist() == model.predict(X).tolist()


def test_a_killed_worker_costs_no_picture(found, run, capsys):
    results, folder, _ = found
    pictures = folder.parent / "pictures"
    assert run("read", pictures, "--jobs", "1") == 0
    assert [line.split("\t") for line in results["read"].splitlines()] == [
        [str(folder / ".." / "pictures" / Path(file).name), text, confidence]
        for file, text, confidence in (
            line.split("\t") for line in capsys.readouterr().out.splitlines()
        )
    ]
    assert run("predict", folder / "digit.skdigits", pictures, "-o", folder / "here.csv") == 0
    assert (folder / "labels.csv").read_bytes() == (folder / "here.csv").read_bytes()
    assert len(pd.read_csv(folder / "labels.csv")) == N_PICTURES
