"""Train networks; the only subpackage that runs TensorFlow.

Modules that import TensorFlow are themselves imported only inside functions that need them.
"""
