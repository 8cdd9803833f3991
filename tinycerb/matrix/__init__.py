"""Defences against attacks, cell by cell, on one machine or a cluster."""
