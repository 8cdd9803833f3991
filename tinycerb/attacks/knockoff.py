"""KnockoffNets with random queries (Orekondy et al., CVPR 2019): ask about foreign images, train on the answers."""

from dataclasses import dataclass

from tinycerb.attacks.base import AttackInputs, check_distinct, choose_images
from tinycerb.attacks.registry import ATTACKS


@ATTACKS.register("knockoff")
@dataclass(frozen=True)
class Knockoff:
    """Asks about `budget` random images, each once, and distils the answers into the clone."""

    check = staticmethod(check_distinct)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack."""
        # Here, so that the table of attacks can be read without TensorFlow.
        from tinycerb.attacks.building_blocks.distill import distill, settings_of

        images = choose_images(inputs)
        distill(
            inputs.build_members(),
            images,
            inputs.oracle.query(images),
            settings_of(inputs),
            inputs.seed,
            inputs.on_epoch,
            inputs.on_progress,
        )
