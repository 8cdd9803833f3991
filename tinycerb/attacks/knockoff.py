"""KnockoffNets with random queries (Orekondy et al., CVPR 2019): ask about foreign images, train on the answers."""

import numpy as np

from tinycerb.attacks.base import ATTACKS, AttackInputs
from tinycerb.errors import UsageError


@ATTACKS.register("knockoff")
def knockoff(inputs: AttackInputs) -> None:
    """Asks about `budget` random images of the pool, each once, and distils the answers into the clone.

    Raises:
        UsageError: the budget is larger than the pool.
    """
    # Here, so that the table of attacks can be read without TensorFlow.
    from tinycerb.attacks.distill import DistillSettings, distill

    config = inputs.config
    budget = config.budget or len(inputs.pool)
    if budget > len(inputs.pool):
        raise UsageError(
            f"attacks.{config.name}.budget is {budget}, but the pool {config.query_pool} has {len(inputs.pool)} "
            f"distinct images; allowed: 0 (all) to {len(inputs.pool)}"
        )
    chosen = np.random.default_rng(inputs.seed).permutation(len(inputs.pool))[:budget]
    images = inputs.pool[chosen]
    distill(
        inputs.members,
        images,
        inputs.oracle.query(images),
        DistillSettings(config.epochs, config.batch_size, config.learning_rate, config.prior_correction),
        inputs.seed,
        inputs.on_epoch,
        inputs.report,
    )
