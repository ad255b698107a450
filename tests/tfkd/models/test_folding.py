"""Folding keeps the function."""

import numpy as np
from small_dae import SMALL_DAE, features, random_dae

from tfkd.models.folding import fold_batch_norm


def test_folded_model_computes_the_same_mask():
    trained = random_dae()
    x = features(20, batch=2)
    folded = fold_batch_norm(trained, SMALL_DAE, frames=20)
    expected = trained(x, training=False).numpy()
    assert expected.std() > 0.01  # a constant mask would prove nothing
    np.testing.assert_allclose(folded(x).numpy(), expected, atol=1e-5)
    assert not [layer for layer in folded.layers if layer.name.endswith("_norm")]
