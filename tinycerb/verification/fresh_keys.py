"""What models that know nothing of a key are told by it: the calibration of the p-value by the secret.

A fresh key's teacher is fitted as an owner's is: a network of its own, whitened over images of the training families.
Models that were made without the key give p-values that are uniform, up to ties; that is what is looked at here.
"""

import numpy as np

from tinycerb.defenses.losses.random_teachers import fit_reading
from tinycerb.ownership.questions import Questions
from tinycerb.verification.by_secret import counts_by_kind, place
from tinycerb.verification.numpy_network import features, random_weights
from tinycerb.verification.teachers import BLOCK, Teachers

_SEED = 20261201


def p_of_fresh_keys(
    labels: np.ndarray, questions: Questions, teachers: Teachers, drawn: np.ndarray, first: int, keys: int
) -> np.ndarray:
    """Returns the p-values of models under keys that nobody has used.

    Args:
        labels: the models', int [M, N].
        questions: what they were asked; those chosen by a model are left out.
        teachers: of any key: their other blocks are the keys' other blocks too.
        drawn: images of the training families that networks are whitened over, uint8 [D, height, width, channels].
        first: number of the first fresh key.
        keys: how many.

    Returns:
        float64 [keys, M].
    """
    which = np.flatnonzero(questions.at_random)
    images, kinds = questions.images[which], questions.kinds[which]
    elsewhere = teachers.others(questions)[BLOCK - 1 :, which]
    counted = [counts_by_kind(elsewhere == said[which], kinds) for said in labels]
    classes = teachers.projection.shape[1]
    found = np.zeros((keys, len(labels)))
    for key in range(keys):
        rng = np.random.default_rng([_SEED, first + key])
        weights = random_weights([array.shape for array in teachers.weights], rng)
        fitted = fit_reading(features(drawn, weights), classes, rng, None)
        components = (features(images, weights) - fitted.centre) @ fitted.directions.T / (fitted.sizes + 1e-9)
        # The first reading is the owner's, the rest of the block are other keys of the same network.
        projections = rng.standard_normal((BLOCK, components.shape[1], classes))
        logits = components @ projections / np.linalg.norm(projections, axis=1)[:, np.newaxis]
        own = logits.argmax(axis=2)
        for model, said in enumerate(labels):
            counts = np.concatenate([counts_by_kind(own == said[which], kinds), counted[model]])
            found[key, model] = place(counts)
    return found
