import joblib
import pytest


def share_of_the_cores():
    from skdigits.training.tensorflow import tf

    return tf.config.threading.get_intra_op_parallelism_threads()


@pytest.mark.slow
def test_worker_processes_keep_to_their_share_of_the_cores():
    before = share_of_the_cores()
    task = joblib.delayed(share_of_the_cores)
    shares = joblib.Parallel(n_jobs=2)(task() for _ in range(4))
    assert set(shares) == {max(joblib.cpu_count() // 2, 1)}
    assert share_of_the_cores() == before == 0
