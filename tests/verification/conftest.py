"""Owners that several files of tests have."""

from tests.verification.small_owner import case_of

__all__ = ["case_of"]
