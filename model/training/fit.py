"""The training loop, its seed and threads, and the folder that every run writes to."""
import logging
import os
import re
import time
from pathlib import Path

import numpy as np
import torch

BUILD = Path(os.environ.get("PLEURA_TRAINED") or Path(__file__).resolve().parent.parent.parent / "build" / "model")
log = logging.getLogger(__name__)


def start(seed):
    """Seeds the random numbers and sets up threads, progress messages and the build folder."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    torch.manual_seed(seed)
    np.random.seed(seed)
    if "OMP_NUM_THREADS" not in os.environ:  # torch uses a single thread on some machines
        torch.set_num_threads(os.cpu_count())
    torch.set_flush_denormal(True)
    BUILD.mkdir(parents=True, exist_ok=True)


def multiplies_bfloat16():
    """Whether the processor does. Others imitate it, which takes several times as long as float32."""
    processor = Path("/proc/cpuinfo")
    return processor.exists() and re.search(r"\b(avx512_bf16|amx_bf16|bf16)\b", processor.read_text()) is not None


def fit(network, batches, loss, rates, layout=torch.contiguous_format):
    """Trains by AdamW under one cosine cycle with warm-up; batches yields (input, target of the loss).

    rates is {largest learning rate: parameters}. Forward passes run in bfloat16 where the processor multiplies it.
    """
    network = network.to(memory_format=layout)
    groups = [{"params": list(parameters), "lr": rate} for rate, parameters in rates.items()]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
    steps, began, total = len(batches), time.time(), 0.0
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, list(rates), steps, pct_start=0.15)
    network.train()
    halves = multiplies_bfloat16()
    for step, (x, target) in enumerate(batches, 1):
        with torch.autocast("cpu", torch.bfloat16, enabled=halves):
            out = network(x.contiguous(memory_format=layout))
        value = loss(out, target)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        schedule.step()
        total += value.item()
        if step % 100 == 0 or step == steps:
            mean = total / (step - (step - 1) // 100 * 100)
            log.info("  step %d/%d loss %.4f %.0f s", step, steps, mean, time.time() - began)
            total = 0.0
    return network.eval()


class Batches:
    """Iterates over `steps` results of make()."""

    def __init__(self, steps, make):
        self.steps, self.make = steps, make

    def __len__(self):
        return self.steps

    def __iter__(self):
        return (self.make() for _ in range(self.steps))
