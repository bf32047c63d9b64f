"""What the validation split alone decides: temperature, intercepts, and the gates that refuse strange films."""
import numpy as np
import torch
from torch.nn import functional as F

CERTAIN = 0.5  # an answer is a label that is likelier than all others together; else "uncertain"
GATE_WIDTH = 96  # whitened directions a gate measures
GATE_TAIL = 0.005  # share of good validation films that a gate may refuse


def scaling(logits, label):
    """(T, bias [classes]) that minimise the cross-entropy of (logits + bias) / T: temperature (Guo et al., 2017) and an
    intercept a class, without which a sampled training's own mixture of classes would stand in the probabilities."""
    log_t, bias = torch.zeros((), requires_grad=True), torch.zeros(logits.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([log_t, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = F.cross_entropy((logits + bias) / log_t.exp(), label)
        value.backward()
        return value

    optimizer.step(loss)
    return float(log_t.exp()), (bias - bias.mean()).detach().numpy()


def weighted_quantiles(values, weight, shares):
    """Values below which the given shares of the weight lie."""
    order = np.argsort(values)
    heights = np.cumsum(weight[order]) / weight.sum()
    return np.interp(shares, heights, values[order])


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
    return (weight, bias.astype(np.float32)), weighted_quantiles(distance, val_weight, np.linspace(0, 1, 101)).astype(
        np.float32
    )
