"""Machines by name: what their nameplates say, as records of ``simulator.physics``."""
