"""The weight of a defence's terms over time."""


def ramp(epoch: float, warm_up_epochs: float, ramp_epochs: float) -> float:
    """Returns 0 during the warm-up, then a linear ramp up to 1."""
    return min(max((epoch - warm_up_epochs) / max(ramp_epochs, 1e-9), 0.0), 1.0)
