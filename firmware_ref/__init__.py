"""TFLite Micro in Python and NumPy, bit for bit, with its arena and a chip's memory limits."""
