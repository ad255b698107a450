"""Engines run a denoiser's model frame by frame: Keras, TFLite, TFLite Micro, firmware_ref, C."""
