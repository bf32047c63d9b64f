"""The engine's limits: those of src/nn/graph.h and src/nn/graph.c, and of the input and labels in src/engine.

The engine refuses weights beyond them, but by then nobody knows which layer of the original network was at fault. The
converter checks first and names the layer.
"""
MAX_LABELS = 64
MAX_CHANNELS = 4  # of the network's input
MAX_SCALE = 1e6  # of the input's scale and offset
MIN_PRIOR = 1e-6  # share of a label in the class mix
MAX_KERNEL = 64  # side of a convolution's or pooling window
MAX_DIM = 4096  # height, width and channels of a layer's output
MAX_FLOATS = 1 << 28  # in a layer's output
MAX_LAYERS = 640
