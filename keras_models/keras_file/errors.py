"""What can be wrong with a Keras file."""


class KerasFileError(Exception):
    """A file from which no network can be made; the message begins with its path."""


class DamagedKerasFileError(KerasFileError):
    """It is not there, cut short, or changed."""


class ForeignCodeError(KerasFileError):
    """It asks for code that is not known to be harmless."""


class TooLargeError(KerasFileError):
    """It asks for more memory than it may have."""
