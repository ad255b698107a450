"""The DAE family: presets, the Keras graph in its two forms, and what a model costs."""
