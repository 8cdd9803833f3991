"""Cycles of a core, estimated: every executed block of code priced by the timings that Arm publishes."""
