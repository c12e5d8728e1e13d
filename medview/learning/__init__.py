"""From cases to tensors and back: preparation, training, prediction, evaluation."""
