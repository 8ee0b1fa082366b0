"""Train networks; the only subpackage that runs TensorFlow.

Its modules are imported only inside functions that train, since most of them import TensorFlow.
"""
