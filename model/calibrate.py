"""What the validation split alone decides: temperature, threshold of certainty, and the gates that refuse strange films."""
import numpy as np
import torch
from torch.nn import functional as F

CERTAIN_COVERAGE = 0.9  # share of validation films that get an answer rather than "uncertain"
GATE_WIDTH = 32         # whitened directions a gate measures
GATE_TAIL = 0.005       # share of good validation films that a gate may refuse


def temperature(logits, label, weight):
    """The one number T that minimises the weighted cross-entropy of logits / T (Guo et al., 2017)."""
    scales = torch.exp(torch.linspace(-2, 2, 401))
    losses = [float((F.cross_entropy(logits / t, label, reduction="none") * weight).sum()) for t in scales]
    return float(scales[int(np.argmin(losses))])


def weighted_quantiles(values, weight, shares):
    """Values below which the given shares of the weight lie."""
    order = np.argsort(values)
    heights = np.cumsum(weight[order]) / weight.sum()
    return np.interp(shares, heights, values[order])


def certain(probability, weight):
    """The largest probability's threshold that leaves CERTAIN_COVERAGE answered."""
    return float(weighted_quantiles(probability.max(1), weight, [1 - CERTAIN_COVERAGE])[0])


def gate(train, train_weight, val, val_weight):
    """Features of train and val [n, c] -> dense (weight [GATE_WIDTH, c], bias) whose output's length is the Mahalanobis
    distance in the widest directions of train, and the 101 quantiles of that length over val."""
    share = train_weight / train_weight.sum()
    mean = share @ train
    spread = (train - mean).T @ ((train - mean) * share[:, None])
    variance, directions = np.linalg.eigh(spread)
    variance, directions = variance[-GATE_WIDTH:], directions[:, -GATE_WIDTH:]
    weight = (directions / np.sqrt(variance + 1e-3 * variance[-1])).T
    bias = -weight @ mean
    weight = weight.astype(np.float16).astype(np.float32)
    distance = np.linalg.norm(val @ weight.T + bias, axis=1)
    return (weight, bias.astype(np.float32)), weighted_quantiles(distance, val_weight, np.linspace(0, 1, 101)).astype(np.float32)
