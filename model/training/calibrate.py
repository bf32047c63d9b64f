"""What is fitted on the validation split: the temperature and intercepts that calibrate the probabilities, and the
gates that refuse films unlike the training films."""
import numpy as np
import torch
from torch.nn import functional as F

# The class mix that the probabilities assume, unless the user states another: a work list with many sick people and some
# findings that are none of the three. No split can tell this, since it contains what its collectors looked for.
PRIOR = {"covid": 0.3, "pneumonia": 0.2, "normal": 0.4, "other": 0.1}
MIN_PROBABILITY = 0.5  # of the answer: a label likelier than all others together; below it, "uncertain"
GATE_WIDTH = 96  # whitened directions of a gate
GATE_TAIL = 0.005  # share of valid films of the validation split that a gate may refuse


def scaling(logits, label):
    """(T, bias [classes]) that minimise the cross-entropy of (logits + bias) / T.

    T is the temperature of Guo et al. (2017). The intercepts replace the class mix of the training batches by that of
    the films that are fitted here. T stays below 20, because logits that tell nothing would send it to infinity.
    """
    free, bias = torch.zeros((), requires_grad=True), torch.zeros(logits.shape[1], requires_grad=True)
    limit = float(np.log(20))
    temperature = lambda: (limit * torch.tanh(free / limit)).exp()
    optimizer = torch.optim.LBFGS([free, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = F.cross_entropy((logits + bias) / temperature(), label)
        value.backward()
        return value

    optimizer.step(loss)
    return float(temperature().detach()), (bias - bias.mean()).detach().numpy()


def weighted_quantiles(values, weight, shares):
    """Quantiles of weighted values, at the given shares of the total weight."""
    order = np.argsort(values)
    heights = np.cumsum(weight[order]) / weight.sum()
    return np.interp(shares, heights, values[order])


def gate(train, train_weight, val, val_weight):
    """Features of both splits [n, c] -> ((weight [GATE_WIDTH, c], bias) of a dense layer, 101 quantiles over val).

    The length of the layer's output is the Mahalanobis distance in the directions of the largest variance of train; the
    quantiles are those of that distance.
    """
    share = train_weight / train_weight.sum()
    mean = share @ train
    spread = (train - mean).T @ ((train - mean) * share[:, None])
    variance, directions = np.linalg.eigh(spread)
    variance, directions = variance[-GATE_WIDTH:], directions[:, -GATE_WIDTH:]
    weight = (directions / np.sqrt(variance + 1e-3 * variance[-1])).T
    bias = -weight @ mean
    weight = weight.astype(np.float16).astype(np.float32)
    distance = np.linalg.norm(val @ weight.T + bias, axis=1)
    quantiles = weighted_quantiles(distance, val_weight, np.linspace(0, 1, 101))
    return (weight, bias.astype(np.float32)), quantiles.astype(np.float32)
