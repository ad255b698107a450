"""Distil, quantise and prove speech denoisers for TFLite Micro."""

__version__ = "0.1.0"
