"""How a network is trained: the only subpackage that runs TensorFlow.

Its modules are imported only inside the functions that train, since most import TensorFlow.
"""
