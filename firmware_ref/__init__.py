"""firmware_ref: TFLite Micro in Python and NumPy, bit for bit, with its arena and a chip's limits."""
