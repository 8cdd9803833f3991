"""The sealed black box: an attack sends images and gets answers, and every image is counted."""

from tinycerb.oracle.client import SealedOracle
from tinycerb.oracle.protocol import Oracle, OracleSpec

__all__ = ["Oracle", "OracleSpec", "SealedOracle"]
