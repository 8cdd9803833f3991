"""What attacks check before anything runs: whether budget and images fit."""

from tinycerb.config import AttackConfig
from tinycerb.errors import UsageError


def check_seeds(config: AttackConfig, pool_images: int, in_distribution_images: int, seeds: int) -> None:
    """For attacks that grow a set of seed images.

    Args:
        config: the attack's settings.
        pool_images: images of other kinds.
        in_distribution_images: images of the victim's kind; if there are any, they alone are the seeds.
        seeds: how many are wanted, 0 for all.

    Raises:
        UsageError: there is no image, no budget, or a budget below the number of seeds.
    """
    where = f"attacks.{config.name}"
    available = in_distribution_images or pool_images
    if available == 0:
        raise UsageError(
            f"{where}: the pool {config.query_pool} is empty and in_distribution_images is 0: there are no seeds; name "
            "another query_pool or set in_distribution_images"
        )
    wanted = min(seeds or available, available)
    if config.budget < wanted:
        raise UsageError(
            f"{where}.budget is {config.budget}; allowed: {wanted} (the seeds alone) or more, e.g. {wanted * 32}"
        )


def check_without_images(config: AttackConfig, pool_images: int, in_distribution_images: int) -> None:
    """For attacks that make all their questions up.

    Raises:
        UsageError: there are images, or no budget.
    """
    where = f"attacks.{config.name}"
    if pool_images or in_distribution_images:
        raise UsageError(
            f"{where}: {config.attack} asks nothing of the pool {config.query_pool} ({pool_images} images) and "
            f"{in_distribution_images} in_distribution_images; allowed: query_pool = 'none', in_distribution_images = 0"
        )
    if config.budget == 0:
        raise UsageError(f"{where}.budget is 0; allowed: 1 or more, e.g. 40000")
