"""S4L (Zhai et al., ICCV 2019; an attack of ModelGuard): the clone also learns to tell how an image was turned."""

from dataclasses import dataclass, replace

import numpy as np

from tinycerb.attacks.base import AttackInputs, check_distinct, choose_images
from tinycerb.attacks.registry import ATTACKS
from tinycerb.errors import UsageError
from tinycerb.options import check_options, option

_TURNS = 4


@ATTACKS.register("s4l")
@dataclass(frozen=True)
class S4L:
    """KnockoffNets with a second head that tells turns by 0, 90, 180 and 270 degrees apart.

    Turned copies are for training alone, they are not asked. An epoch has five times the images. Published: weight 1
    on all 50,000 queried images.
    """

    weight: float = option(1.0, "weight of the turns' cross-entropy", 0, 100)

    def __post_init__(self) -> None:
        check_options(self)

    check = staticmethod(check_distinct)

    def run(self, inputs: AttackInputs) -> None:
        """Runs the attack.

        Raises:
            UsageError: images are not square.
        """
        import tensorflow as tf

        from tinycerb.attacks.building_blocks.distill import distill, predictor, settings_of
        from tinycerb.attacks.building_blocks.features import features_of
        from tinycerb.keras_models.legacy import keras

        if inputs.image_shape[0] != inputs.image_shape[1]:
            raise UsageError(
                f"s4l turns images by 90 degrees; {inputs.image_shape} is not square; allowed: square images"
            )
        images = choose_images(inputs)
        answers = inputs.oracle.query(images)
        members = inputs.build_members()
        with_turns = []
        for member in members:
            turns = keras.layers.Dense(_TURNS)(features_of(member).output)
            with_turns.append(keras.Model(member.input, keras.layers.Concatenate()([member.output, turns])))
        predict = predictor(members)

        def loss(wanted, logits):
            answers, turns = wanted[:, : inputs.classes], wanted[:, inputs.classes :]
            of_answer = tf.nn.softmax_cross_entropy_with_logits(answers, logits[:, : inputs.classes])
            of_turn = tf.nn.softmax_cross_entropy_with_logits(turns, logits[:, inputs.classes :])
            # A row has either an answer or a turn. The gradient that TensorFlow gives for labels of all zeros is not 0.
            return tf.where(tf.reduce_any(turns > 0, axis=1), self.weight * of_turn, of_answer)

        distill(
            with_turns,
            np.concatenate([images, *(np.rot90(images, turn, axes=(1, 2)) for turn in range(_TURNS))]),
            with_turn_columns(answers),
            # As published, a step has a batch of answers and beside it all turns of as many images.
            replace(settings_of(inputs), batch_size=(1 + _TURNS) * inputs.config.batch_size),
            inputs.seed,
            lambda epoch, _: inputs.on_epoch(epoch, predict),
            inputs.on_progress,
            loss,
        )


def with_turn_columns(answers: np.ndarray) -> np.ndarray:
    """Returns what five rows per image are to be answered with: the answer, then each turn.

    Args:
        answers: float32 [N, classes].

    Returns:
        float32 [5 N, classes + 4]: first N rows of answers without a turn, then N rows for each turn.
    """
    count, classes = answers.shape
    wanted = np.zeros(((1 + _TURNS) * count, classes + _TURNS), np.float32)
    wanted[:count, :classes] = answers
    wanted[np.arange(count, len(wanted)), classes + np.repeat(np.arange(_TURNS), count)] = 1
    return wanted
