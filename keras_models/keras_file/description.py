"""What a Keras file says about itself, read without Keras."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Description:
    """What is known of a network before it is built.

    Attributes:
        version: of the Keras that has saved it.
        architecture: plain JSON.
        foreign_part: name of a part that lies in another file or would be unpacked to the disk; empty for none.
    """

    version: str
    architecture: object
    foreign_part: str = ""
