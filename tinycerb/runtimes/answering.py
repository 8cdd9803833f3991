"""From a file's int8 outputs to answers: posteriors, then the response that its card names. The same for the device."""

import numpy as np

from tinycerb.answers.responses import after_combiner, check_heads, combiner_of, stored_response
from tinycerb.answers.responses.response import Answer, Network, Response
from tinycerb.errors import UsageError
from tinycerb.runtimes.auxiliary_model import open_auxiliary_model
from tinycerb.runtimes.model_artifact import ModelArtifact


def response_of(artifact: ModelArtifact) -> Response:
    """Returns the response that a file's card names.

    Raises:
        UsageError: the text is no response, names a file of its own, or does not fit the file's heads.
    """
    response = stored_response(artifact.card.response)
    check_heads(response, artifact.heads, artifact.card.combined_by or "")
    return response


class Answers:
    """What a file answers. One object may remember what it has answered."""

    def __init__(self, artifact: ModelArtifact) -> None:
        """Opens the file's response, with the network that some ask beside the file.

        Raises:
            UsageError: the response does not fit the file's heads, or names a file of its own.
            EnvironmentProblem: the network beside the file is missing.
        """
        response = response_of(artifact)
        self._artifact = artifact
        self._combiner = combiner_of(response)
        self._respond = _open(after_combiner(response), artifact)

    @property
    def heads(self) -> int:
        """How many heads may answer; 1 where the response makes one answer of all of them."""
        return 1 if self._combiner else self._artifact.heads

    def posteriors(self, logits: np.ndarray) -> np.ndarray:
        """Returns what each head that may answer would say without the response, uint8 codes [N, heads, classes].

        Args:
            logits: int8 [N, heads of the file, classes].
        """
        codes = self._artifact.posteriors(logits)
        return self._combiner.combine(logits, codes)[:, np.newaxis] if self._combiner else codes

    def of(self, images: np.ndarray, logits: np.ndarray, heads: np.ndarray) -> np.ndarray:
        """Returns the answers of the drawn heads, uint8 codes [N, classes].

        Args:
            images: int8 [N, height, width, channels].
            logits: int8 [N, heads of the file, classes], what the file says to them.
            heads: int64 [N], 0 to `self.heads` - 1.
        """
        return self._respond(images, self.posteriors(logits)[np.arange(len(logits)), heads])

    def of_all(self, images: np.ndarray | None, logits: np.ndarray) -> np.ndarray:
        """The same for every head that may answer, uint8 codes [N, heads, classes].

        Without images where no response looks at them, as on every device.
        """
        codes = self.posteriors(logits)
        return np.stack([self._respond(images, codes[:, head]) for head in range(self.heads)], axis=1)


def _open(response: Response, artifact: ModelArtifact) -> Answer:
    def network(name: str) -> Network:
        if artifact.folder is None:
            raise UsageError(f"response {response.name!r} asks a network beside the file, which lies nowhere yet")
        opened = open_auxiliary_model(artifact.folder / name)
        return lambda images: opened(artifact.real_values(images))

    return response.opened(network)
